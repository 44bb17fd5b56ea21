"""Small files of a table are merged in a publish, and nobody who reads a version can tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lake.tables.compaction
from lake import paths
from lake.decisions.rollback import roll_back
from lake.drift.version_histograms import Comparison
from lake.maintenance.verify import audit_all
from lake.pipeline.ingest import ingest
from lake.server.lifecycle import ensure_server
from lake.session import Session, open_session
from lake.tables.data_files import list_table
from lake.tables.quarantine import unresolved_rows
from lakegate.home import Home
from lakegate.manifest import Manifest
from lakegate.settings import Settings
from tests.support.lakes.rides_compacted import MANY, deliver, manifest, opened, rows, told

pytestmark = pytest.mark.server

DROPS = 7
PATH, ASIDE = paths.processed_table("rides"), paths.quarantine_table("rides")


def aside(session: Session, found: Manifest) -> list[dict[str, Any]]:
    open_ones: list[dict[str, Any]] = unresolved_rows(session, found).to_pylist()
    return open_ones


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_versions_are_the_same_whether_files_were_merged_or_not(
    mode: str, shared_lakefs: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, merged = (
        opened(shared_lakefs, tmp_path / name, f"{name}_{mode}", mode) for name in ("plain", "merged")
    )
    before = [deliver(plain, tmp_path, number) for number in range(DROPS)]
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    after = [deliver(merged, tmp_path, number) for number in range(DROPS)]
    assert list(map(told, before)) == list(map(told, after))
    assert [len(found.files) for found in before] == [1, 2, 3, 4, 5, 6, 7]
    assert [len(found.files) for found in after] == [1, 2, 3, 4, 2, 3, 4]
    assert [len(found.quarantine) for found in after] == [1, 2, 3, 4, 5, 2, 3]
    assert [found.notes.get("files_merged") for found in after] == [None, None, None, None, 3, None, None]
    for one, other in zip(before, after, strict=True):
        assert rows(plain, one.name) == rows(merged, other.name)
        for path, files in ((PATH, other.files), (ASIDE, other.quarantine)):
            listed = list_table(merged, other.name.tag, path)
            assert sorted((item.path, item.rows) for item in listed) == sorted(
                (item.path, item.rows) for item in files
            )
        assert aside(plain, one) == aside(merged, other)
    assert not any(audit_all(merged).values())

    # What nobody counted is counted from the files: of a version's own rows, and of all.
    kinds = {"fare": "numbers"}
    found = [
        [
            Comparison(session, session.catalog.get("rides"), versions[-1], "main", whole=False)._of(
                number, kinds
            )
            for number in range(1, DROPS + 1)
        ]  # type: ignore[arg-type]
        for session, versions in ((plain, before), (merged, after))
    ]
    assert [kept.to_json() for kept in found[0]] == [kept.to_json() for kept in found[1]]

    # Keys are found where they lie by now, and an earlier state can stand again.
    late = deliver(merged, tmp_path, DROPS, taken=2)
    assert late.counts.quarantined == (2 if mode == "append" else 1)
    roll_back(merged, after[2].name, reason="a test")
    again = manifest(merged, f"rides@v{DROPS + 2}")
    assert (again.content_hash, again.files) == (after[2].content_hash, after[2].files)
    assert (again.counts.inserted, again.counts.deleted) == ((0, 24) if mode == "append" else (1, 25)), (
        again.counts
    )
    assert not any(audit_all(merged).values())


def test_corrected_file_is_published_where_files_were_to_be_merged(
    shared_lakefs: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads what its parent set aside, where that lies."""
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(shared_lakefs, tmp_path, "corrected", "append")
    for number in range(MANY + 1):
        found = deliver(session, tmp_path, number)
    assert len(found.quarantine) > MANY
    path = tmp_path / "1.csv"
    path.write_text(path.read_text().replace("none", "2.5"))
    (result,) = ingest(session, "rides", [path], supersede=True)
    assert result.hops[1].version == f"rides@v{MANY + 2}", result
    corrected = manifest(session, result.hops[1].version)
    assert corrected.balance == {
        "set_aside": MANY + 1,
        "open": MANY,
        "replayed": 0,
        "discarded": 0,
        "superseded": 1,
    }
    assert not any(audit_all(session).values())


def test_column_that_became_personal_is_not_told_by_a_merge(
    shared_lakefs: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(shared_lakefs, tmp_path, "became", "append")
    before = [deliver(session, tmp_path, number) for number in range(MANY)]
    contract = tmp_path / "catalog" / "contracts" / "rides.odcs.yaml"
    contract.write_text(
        contract.read_text().replace(
            "logicalType: timestamp, required: true",
            "logicalType: timestamp, required: true, classification: personal",
        )
    )
    session = open_session(session.settings, say=print)
    after = deliver(session, tmp_path, MANY)
    assert len(after.files) < len(before[-1].files)
    log = f"{PATH}/_delta_log/"
    old = {item.path for item in session.repository.listing(before[-1].name.tag, log)}
    new = [
        session.repository.get("main", item.path) or b""
        for item in session.repository.listing("main", log)
        if item.path not in old
    ]
    assert any(b'"add"' in entry for entry in new)
    assert not any(b"2024-01" in entry.replace(b"modificationTime", b"") for entry in new)


def test_files_are_merged_in_a_lake_elsewhere_too(
    shared_lakefs: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the gateway of a lakeFS that isn't the home's own."""
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    endpoint = ensure_server(shared_lakefs, say=print)
    elsewhere = replace(
        shared_lakefs, home=Home(tmp_path / "home"), lakefs=endpoint, lakefs_namespace="local://far"
    )
    session = opened(elsewhere, tmp_path, "far", "append")
    assert session.repository.blocks is None
    found = [deliver(session, tmp_path, number) for number in range(MANY + 1)]
    assert [len(item.files) for item in found] == [1, 2, 3, 4, 2]
    assert found[-1].counts.after == 5 * (MANY + 1)
    listed = list_table(session, found[-1].name.tag, PATH)
    assert sorted((item.path, item.rows) for item in listed) == sorted(
        (item.path, item.rows) for item in found[-1].files
    )


def test_log_of_merged_files_tells_no_personal_value(
    shared_lakefs: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(shared_lakefs, tmp_path, "personal", "append")
    found = [deliver(session, tmp_path, number) for number in range(MANY + 2)]
    assert (len(found[-2].files), len(found[-1].quarantine)) == (2, 2)
    for path, column in ((PATH, b"ride"), (ASIDE, b"_drop")):
        logs = [
            session.repository.get("main", item.path) or b""
            for item in session.repository.listing("main", f"{path}/_delta_log/")
        ]
        assert any(b'"remove"' in log for log in logs)
        assert any(b"maxValues" in log and column in log for log in logs)
        assert not any(b"Ada" in log for log in logs)
