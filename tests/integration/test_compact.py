"""Small files of a table are merged in a publish, and nobody who reads a version can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

import lake.tables.compaction
from catalog.odcs.loader import load_contract
from lake import paths
from lake.decisions.rollback import roll_back
from lake.drift.version_histograms import Comparison
from lake.engine.engine import Engine
from lake.maintenance.verify import audit_all
from lake.pipeline.ingest import ingest
from lake.server.lifecycle import ensure_server
from lake.session import Session, open_session
from lake.tables.compaction import quarantine_fingerprint, table_fingerprint
from lake.tables.data_files import list_table
from lake.tables.quarantine import unresolved_rows
from lake.versions.publish import manifest_at
from lakegate import open_snapshot
from lakegate.errors import IntegrityError
from lakegate.home import Endpoint, Home
from lakegate.manifest import Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings

pytestmark = pytest.mark.server

CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: rides
name: rides
version: 1.0.0
status: draft
schema:
  - name: rides
    properties:
      - {name: ride, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: fare, logicalType: number}
      - {name: rider, logicalType: string, classification: personal}
      - {name: at, logicalType: timestamp, required: true}
customProperties:
  - {property: writeMode, value: MODE}
  - {property: maxQuarantined, value: 1.0}
  - {property: drift, value: none}
"""
MANY = 4
DROPS = 7
PATH, ASIDE = paths.processed_table("rides"), paths.quarantine_table("rides")


def opened(settings: Settings, folder: Path, tenant: str, mode: str) -> Session:
    contracts = folder / "catalog" / "contracts"
    contracts.mkdir(parents=True, exist_ok=True)
    text = CONTRACT.replace("MODE", mode) + "  - {property: upsert, value: {orderBy: at}}\n" * (
        mode == "upsert"
    )
    (contracts / "rides.odcs.yaml").write_text(text)
    return open_session(replace(settings, project=folder, tenant=tenant), say=print)


def deliver(session: Session, folder: Path, number: int, *, taken: int = 0) -> Manifest:
    """Six rides, of which the last has no fare; `taken`: the ride whose number the first one has."""
    first = 1 + 6 * number
    rides = [taken or first, *range(first + 1, first + 6)]
    rows = [
        f"{ride},{'none' if ride == rides[-1] else ride / 4},Ada{ride},2024-01-{number + 1:02}T00:00:00Z"
        for ride in rides
    ]
    path = folder / f"{number}.csv"
    path.write_text("\n".join(["ride,fare,rider,at", *rows]) + "\n")
    (result,) = ingest(session, "rides", [path])
    assert result.hops[1].version is not None, result
    return manifest(session, result.hops[1].version)


def manifest(session: Session, version: str) -> Manifest:
    return manifest_at(session.repository, "main", VersionName.parse(version))


def told(found: Manifest) -> tuple[Any, ...]:
    return found.content_hash, found.counts, found.aside


def rows(session: Session, version: VersionName) -> list[dict[str, Any]]:
    table = open_snapshot(
        str(version), home=session.settings.home.root, tenant=session.settings.tenant
    ).arrow()
    found: list[dict[str, Any]] = table.sort_by([("_drop", "ascending"), ("_row", "ascending")]).to_pylist()
    return found


def aside(session: Session, found: Manifest) -> list[dict[str, Any]]:
    open_ones: list[dict[str, Any]] = unresolved_rows(session, found).to_pylist()
    return open_ones


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_versions_are_the_same_whether_files_were_merged_or_not(
    mode: str, lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, merged = (
        opened(lakefs_home, tmp_path / name, f"{name}_{mode}", mode) for name in ("plain", "merged")
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


def test_a_corrected_file_is_published_where_files_were_to_be_merged(
    lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads what its parent set aside, where that lies."""
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(lakefs_home, tmp_path, "corrected", "append")
    for number in range(MANY + 1):
        found = deliver(session, tmp_path, number)
    assert len(found.quarantine) > MANY
    path = tmp_path / "1.csv"
    path.write_text(path.read_text().replace("none", "2.5"))
    (result,) = ingest(session, "rides", [path], supersede=True)
    assert result.hops[1].version == f"rides@v{MANY + 2}", result
    corrected = manifest(session, result.hops[1].version)
    assert corrected.aside == {
        "set_aside": MANY + 1,
        "open": MANY,
        "replayed": 0,
        "discarded": 0,
        "superseded": 1,
    }
    assert not any(audit_all(session).values())


def test_a_column_that_became_personal_is_not_told_by_a_merge(
    lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(lakefs_home, tmp_path, "became", "append")
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
    lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the gateway of a lakeFS that isn't the home's own."""
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    endpoint = ensure_server(lakefs_home, say=print)
    elsewhere = replace(
        lakefs_home, home=Home(tmp_path / "home"), lakefs=endpoint, lakefs_namespace="local://far"
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


def test_the_log_of_merged_files_tells_no_personal_value(
    lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(lakefs_home, tmp_path, "personal", "append")
    found = [deliver(session, tmp_path, number) for number in range(MANY + 2)]
    assert (len(found[-2].files), len(found[-1].quarantine)) == (2, 2)
    for path, told in ((PATH, b"ride"), (ASIDE, b"_drop")):
        logs = [
            session.repository.get("main", item.path) or b""
            for item in session.repository.listing("main", f"{path}/_delta_log/")
        ]
        assert any(b'"remove"' in log for log in logs)
        assert any(b"maxValues" in log and told in log for log in logs)
        assert not any(b"Ada" in log for log in logs)


@pytest.mark.parametrize(("hashed", "before"), [("content_by", MANY), ("hash_of", MANY + 1)])
def test_rows_that_changed_while_files_were_merged_stop_the_publish(
    hashed: str, before: int, lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake.tables.compaction, "MANY", MANY)
    session = opened(lakefs_home, tmp_path, f"damaged_{hashed}", "append")
    for number in range(before):
        deliver(session, tmp_path, number)
    honest = getattr(lake.tables.compaction, hashed)
    asked = count()

    def other(*args: Any, **kwargs: Any) -> list[Any]:
        return [honest(*args, **kwargs), next(asked)]

    monkeypatch.setattr(lake.tables.compaction, hashed, other)
    with pytest.raises(IntegrityError, match="files were merged, and their rows are not those"):
        deliver(session, tmp_path, before)
    monkeypatch.setattr(lake.tables.compaction, hashed, honest)
    assert session.repository.branches("attempt-") == []
    assert deliver(session, tmp_path, before).version == before + 1


def test_no_value_of_a_row_set_aside_can_change_unseen(tmp_path: Path) -> None:
    engine = Engine(Settings.load(home=tmp_path / "home"), Endpoint("http://127.0.0.1:9", "none", "none"))
    row: dict[str, Any] = {
        "_drop": "d",
        "_row": 7,
        "_file": "1.csv",
        "_reasons": ["type", "key"],
        "_suite": "s",
        "_record": "1,none",
    }
    others = [
        {**row, name: value}
        for name, value in (
            ("_drop", "e"),
            ("_row", 8),
            ("_file", None),
            ("_suite", ""),
            ("_record", "1,nine"),
        )
    ]
    others += [{**row, "_reasons": reasons} for reasons in (["type"], ["key", "type"], [], None)]
    schema = pa.schema(
        [
            (name, {"_row": pa.int64(), "_reasons": pa.list_(pa.string())}.get(name, pa.string()))
            for name in row
        ]
    )

    def told(*rows: dict[str, Any]) -> list[Any]:
        path = tmp_path / "rows.parquet"
        parquet.write_table(pa.Table.from_pylist([*rows], schema=schema), path)
        return quarantine_fingerprint(engine, engine.read_parquet([path.as_uri()]))

    assert told(row, others[0]) == told(others[0], row)
    assert len({str(told(other)) for other in (row, *others)}) == 1 + len(others)
    assert told(row) != told(row, row)


def test_no_value_of_a_published_row_can_change_unseen_nor_be_another_rows(tmp_path: Path) -> None:
    engine = Engine(Settings.load(home=tmp_path / "home"), Endpoint("http://127.0.0.1:9", "none", "none"))
    path = tmp_path / "rides.odcs.yaml"
    path.write_text(CONTRACT.replace("MODE", "append"))
    contract = load_contract(path)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    row: dict[str, Any] = {"ride": 1, "fare": 2.5, "rider": "Ada", "at": at, "_drop": "d", "_row": 7}
    others = [
        {**row, name: value}
        for name, value in (("ride", 2), ("fare", None), ("rider", ""), ("_drop", "e"), ("_row", 8))
    ]
    schema = pa.schema(
        [
            ("ride", pa.int64()),
            ("fare", pa.float64()),
            ("rider", pa.string()),
            ("at", pa.timestamp("us", "UTC")),
            ("_drop", pa.string()),
        ]
    ).append(pa.field("_row", pa.int64()))

    def told(*rows: dict[str, Any]) -> list[Any]:
        path = tmp_path / "rows.parquet"
        parquet.write_table(pa.Table.from_pylist([*rows], schema=schema), path)
        return table_fingerprint(engine, contract, engine.read_parquet([path.as_uri()]))

    assert told(row, others[0], others[3]) == told(others[3], others[0], row)
    assert len({str(told(other)) for other in (row, *others)}) == 1 + len(others)
    assert told(row) != told(row, row)
    same_drop, other_drop = {**row, "ride": 9, "_row": 8}, {**row, "ride": 9, "_drop": "e"}
    assert told(row, same_drop) != told({**row, "_row": 8}, {**same_drop, "_row": 7})
    assert told(row, other_drop) != told({**row, "_drop": "e"}, {**other_drop, "_drop": "d"})
