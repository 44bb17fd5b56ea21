"""A table that is reprocessed is what it would be had the present rules been there at first."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.decisions.discard import discard
from lake.decisions.reprocess import reprocess
from lake.decisions.rollback import roll_back
from lake.maintenance.verify import audit_all
from lake.pipeline.dry_run import dry_run
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_versions
from lake.versions.publish import manifest_at
from lakegate import open_snapshot
from lakegate.errors import DataRejected, UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.rides_reprocessed import DROPS, aside, latest, opened, project, take

pytestmark = pytest.mark.server


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
@pytest.mark.parametrize("most", [40, 15])
def test_reprocess_gives_what_ingesting_under_the_present_rules_would_have_given(
    lakefs_home: Settings, tmp_path: Path, mode: str, most: int
) -> None:
    project(tmp_path, mode=mode, most=20)
    session = opened(lakefs_home, tmp_path, f"was_{mode}_{most}")
    take(session, tmp_path, *DROPS)
    before = [manifest_at(session.repository, "main", VersionName("rides", number)) for number in (1, 2, 3)]
    project(tmp_path, mode=mode, most=most)
    session, fresh = (opened(lakefs_home, tmp_path, f"{when}_{mode}_{most}") for when in ("was", "is"))
    take(fresh, tmp_path, *DROPS)
    hop = reprocess(session, session.catalog.get("rides"))
    made, wanted = latest(session, hop.version), latest(fresh, "rides@v3")
    assert made.version == 4
    assert (made.content_hash, made.counts.after, made.balance) == (
        wanted.content_hash,
        wanted.counts.after,
        wanted.balance,
    )
    assert aside(session) == aside(fresh)
    assert made.counts.gaps() == []
    rows = [
        open_snapshot(name, home=lakefs_home.home.root, tenant=item.settings.tenant).arrow().sort_by("ride")
        for name, item in (("rides@v4", session), ("rides@v3", fresh))
    ]
    assert rows[0] == rows[1]
    assert [
        manifest_at(session.repository, "main", VersionName("rides", number)) for number in (1, 2, 3)
    ] == before
    assert not any(audit_all(session).values())
    assert reprocess(session, session.catalog.get("rides")).content_hash == made.content_hash


def test_drop_that_comes_again_is_told_as_the_reprocess_judged_it(
    lakefs_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the table's state came of it: a rollback takes it back."""
    project(tmp_path, mode="append", most=20)
    session = opened(lakefs_home, tmp_path, "told")
    take(session, tmp_path, "a.csv", "b.csv")
    project(tmp_path, mode="append", most=30)
    session = opened(lakefs_home, tmp_path, "told")
    digests = [
        manifest_at(session.repository, "main", VersionName("rides", number)).drop for number in (1, 2)
    ]
    reprocess(session, session.catalog.get("rides"))
    reprocess(session, session.catalog.get("rides"), since=digests[1])
    take(session, tmp_path, "c.csv")
    again = {
        "a.csv": ("rides@v1", 3, 3, 2, 1),
        "b.csv": ("rides@v2", 4, 3, 1, 2),
        "c.csv": ("rides@v5", None, 0, 0, 0),
    }
    for name, (published, number, *rows) in again.items():
        for found in (
            ingest(session, "rides", [tmp_path / name])[0],
            *dry_run(session, "rides", [tmp_path / name]),
        ):
            told = found.hops[1].to_json()
            assert (told["verdict"], told["name"]) == ("unchanged", published)
            wanted = dict(zip(("rows_in", "rows_valid", "rows_quarantined"), rows, strict=True))
            standing = {"version": number, "name": f"rides@v{number}", **wanted}
            assert told.get("standing") == (standing if number else None)
            assert (f"judged again by the reprocess rides@v{number}" in told.get("reason", "")) == bool(
                number
            )
    roll_back(session, VersionName("rides", 3), reason="a test")
    b = ingest(session, "rides", [tmp_path / "b.csv"])[0].hops[1]
    assert b.reprocessed is not None
    assert b.reprocessed["version"] == 3
    roll_back(session, VersionName("rides", 2), reason="a test")
    asked: list[str] = []
    honest = type(session.repository).get_json
    monkeypatch.setattr(
        type(session.repository),
        "get_json",
        lambda self, ref, path: asked.append(path) or honest(self, ref, path),
    )
    assert ingest(session, "rides", [tmp_path / "b.csv"])[0].hops[1].reprocessed is None
    assert not [path for path in asked if "evidence" in path]


def test_deliveries_that_lack_what_the_contract_has_now_stop_it(
    lakefs_home: Settings, tmp_path: Path
) -> None:
    project(tmp_path, mode="append", most=20)
    take(opened(lakefs_home, tmp_path, "lack"), tmp_path, "a.csv")
    path = tmp_path / "catalog" / "contracts" / "rides.odcs.yaml"
    path.write_text(
        path.read_text().replace("    quality:", "      - {name: tip, logicalType: number}\n    quality:")
    )
    session = opened(lakefs_home, tmp_path, "lack")
    with pytest.raises(DataRejected, match=r"a\.csv: refused by .*missing: tip"):
        reprocess(session, session.catalog.get("rides"))
    assert len(list_versions(session, "rides")) == 1


def test_drops_before_the_first_stay_as_they_are_and_discarded_rows_stay_discarded(
    lakefs_home: Settings, tmp_path: Path
) -> None:
    project(tmp_path, mode="append", most=20)
    session = opened(lakefs_home, tmp_path, "since")
    take(session, tmp_path, *DROPS)
    first, second = (
        manifest_at(session.repository, "main", VersionName("rides", number)).drop for number in (1, 2)
    )
    discard(session, session.catalog.get("rides"), reason="a test", drop=first, row=2)
    discard(session, session.catalog.get("rides"), reason="a test", drop=second, row=3)
    project(tmp_path, mode="append", most=40)
    session = opened(lakefs_home, tmp_path, "since")
    made = latest(session, reprocess(session, session.catalog.get("rides"), since=second[:12]).version)
    assert [(row[0], row[1]) for row in aside(session)] == [("a.csv", 3), ("c.csv", 1)]  # ride 2 is in b.csv
    assert made.balance == {"set_aside": 4, "open": 2, "replayed": 0, "discarded": 2, "superseded": 0}
    assert made.counts.after == 1 + 2 + 1
    told = [(item["made_by"], item["made_from"]) for item in list_versions(session, "rides")]
    assert told[2:] == [
        ("drop", ""),
        ("discard", "rides@v3"),
        ("discard", "rides@v4"),
        ("reprocess", "rides@v5"),
    ]
    with pytest.raises(UsageError, match="0 drops of rides begin with 'zzzz'"):
        reprocess(session, session.catalog.get("rides"), since="zzzz")


def test_drop_that_is_blocked_now_stops_it(lakefs_home: Settings, tmp_path: Path) -> None:
    project(tmp_path, mode="append", most=20)
    session = opened(lakefs_home, tmp_path, "blocked")
    take(session, tmp_path, *DROPS)
    project(tmp_path, mode="append", most=20, severity="block")
    session = opened(lakefs_home, tmp_path, "blocked")
    with pytest.raises(DataRejected, match=r"a\.csv: refused by fare-plausible"):
        reprocess(session, session.catalog.get("rides"))
    assert not any(audit_all(session).values())
    assert session.repository.branches("attempt-") == []
