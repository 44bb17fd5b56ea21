"""A rollback publishes an earlier state as the next version; what it takes out may come again, and nothing is lost."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lake.decisions.approvals import find_rejectable
from lake.decisions.rollback import roll_back
from lake.hops.receive import receive
from lake.ledger.receipts import pending
from lake.maintenance.reconcile import reconcile
from lake.maintenance.retention import clean_up
from lake.maintenance.verify import audit_all
from lake.pipeline.dry_run import dry_run
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_quarantine
from lake.session import Session, open_session
from lake.versions.publish import manifest_at
from lakegate import open_snapshot
from lakegate.errors import ContractError, UsageError
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
      - {name: at, logicalType: integer, required: true}
customProperties:
  - {property: writeMode, value: MODE}
  - {property: maxQuarantined, value: 1.0}
  - {property: drift, value: none}
"""
MODES = ("append", "replace", "upsert")
DROPS = {
    "a.csv": ["1,1.5,1", "2,2.5,1", "3,free,1"],
    "b.csv": ["4,4.5,2", "2,9.5,2", "5,none,2"],
    "c.csv": ["6,6.5,3"],
}


@pytest.fixture
def session(lakefs_home: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    contracts = tmp_path / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    mode = getattr(request, "param", "append")
    text = CONTRACT.replace("MODE", mode)
    (contracts / "rides.odcs.yaml").write_text(
        text + "  - {property: upsert, value: {orderBy: at}}\n" * (mode == "upsert")
    )
    return open_session(
        replace(lakefs_home, project=tmp_path, tenant=f"r{abs(hash(request.node.name)) % 10**8}"), say=print
    )


def take(session: Session, folder: Path, name: str) -> Manifest:
    path = folder / name
    path.write_text("\n".join(["ride,fare,at", *DROPS[name]]) + "\n")
    (result,) = ingest(session, "rides", [path])
    assert result.hops[1].version is not None, result
    return manifest(session, result.hops[1].version)


def manifest(session: Session, version: str) -> Manifest:
    return manifest_at(session.repository, "main", VersionName.parse(version))


def aged(session: Session) -> None:
    """All blocks are two days older."""
    old = time.time() - timedelta(days=2).total_seconds()
    for path in session.settings.home.blocks.rglob("*"):
        os.utime(path, (old, old))


def aside(session: Session) -> list[tuple[Any, Any]]:
    return [(row["file"], row["row"]) for row in list_quarantine(session, session.catalog.get("rides"))]


@pytest.mark.parametrize("session", MODES, indirect=True)
def test_an_earlier_state_stands_again_and_what_was_taken_out_may_come_again(
    session: Session, tmp_path: Path
) -> None:
    first, kept = take(session, tmp_path, "a.csv"), aside(session)
    second, both = take(session, tmp_path, "b.csv"), aside(session)
    third = take(session, tmp_path, "c.csv")

    done = roll_back(session, first.name, reason="fares of February are wrong")
    fourth = manifest(session, str(done.hop.version))
    assert fourth.version == 4
    assert (fourth.content_hash, fourth.counts.after, fourth.files) == (
        first.content_hash,
        first.counts.after,
        first.files,
    )
    assert fourth.aside == first.aside
    assert aside(session) == kept
    assert done.withdrawn == [second.drop, third.drop]
    for drop, told in ((first.drop, "is published"), (second.drop, "no held, refused or failed drop")):
        with pytest.raises(UsageError, match=told):
            find_rejectable(session, drop)
    assert fourth.source["reason"] == "fares of February are wrong"

    fifth = take(session, tmp_path, "b.csv")
    assert fifth.version == 5
    assert (fifth.content_hash, fifth.counts.after, fifth.aside) == (
        second.content_hash,
        second.counts.after,
        second.aside,
    )
    assert aside(session) == both
    assert not any(audit_all(session).values())


def test_the_versions_that_were_taken_out_are_still_what_they_were(session: Session, tmp_path: Path) -> None:
    before = [take(session, tmp_path, name) for name in DROPS]
    roll_back(session, before[0].name, reason="a test")
    assert [manifest(session, str(item.name)) for item in before] == before
    forth = roll_back(session, before[2].name, reason="it was right after all")
    assert manifest(session, str(forth.hop.version)).content_hash == before[2].content_hash
    assert forth.withdrawn == []
    assert forth.reinstated == [item.drop for item in before[1:]]
    (again,) = ingest(session, "rides", [tmp_path / "b.csv"])
    assert [hop.verdict for hop in again.hops] == ["unchanged", "unchanged"]
    assert not any(audit_all(session).values())


def test_what_cannot_be_rolled_back_to_is_said(session: Session, tmp_path: Path) -> None:
    first, second = take(session, tmp_path, "a.csv"), take(session, tmp_path, "b.csv")
    for name, told in (
        (second.name, "is the latest version"),
        (VersionName("rides", 7), "there is no rides@v7"),
    ):
        with pytest.raises(UsageError, match=told):
            roll_back(session, name, reason="a test")
    with pytest.raises(UsageError, match="needs a reason"):
        roll_back(session, first.name, reason=" ")
    contract = tmp_path / "catalog" / "contracts" / "rides.odcs.yaml"
    contract.write_text(
        contract.read_text().replace("{name: fare, logicalType: number}", "{name: fare, logicalType: string}")
    )
    fresh = open_session(session.settings, say=print)
    with pytest.raises(ContractError, match="other columns now than rides@v1"):
        roll_back(fresh, first.name, reason="a test")
    assert [str(name) for name in audit_all(fresh) if name.startswith("rides@")] == ["rides@v1", "rides@v2"]


def test_a_corrected_file_takes_the_place_of_a_published_drop(session: Session, tmp_path: Path) -> None:
    first, second = take(session, tmp_path, "a.csv"), take(session, tmp_path, "b.csv")
    path = tmp_path / "a.csv"
    path.write_text("ride,fare,at\n1,1.75,1\n3,3.5,1\n7,nothing,1\n")
    (refused,) = ingest(session, "rides", [path])
    assert refused.hops[1].verdict == "blocked"
    (done,) = ingest(session, "rides", [path], supersede=True)
    third = manifest(session, str(done.hops[1].version))
    assert third.version == 3
    assert (third.counts.inserted, third.counts.deleted, third.counts.after) == (2, 2, 3)
    assert third.source["supersedes"] == first.drop
    assert third.aside == {"set_aside": 4, "open": 3, "replayed": 0, "discarded": 0, "superseded": 1}
    snapshot = open_snapshot("rides@v3", home=session.settings.home.root, tenant=session.settings.tenant)
    assert snapshot.arrow(["ride", "fare"]).sort_by("ride").to_pylist() == [
        {"ride": 1, "fare": 1.75},
        {"ride": 3, "fare": 3.5},
        {"ride": 4, "fare": 4.5},
    ]
    (again,) = ingest(session, "rides", [path])
    assert [hop.verdict for hop in again.hops] == ["unchanged", "unchanged"]
    assert not any(audit_all(session).values())
    back = roll_back(session, second.name, reason="the correction was wrong")
    assert back.withdrawn == [third.drop]
    assert back.reinstated == [first.drop]
    assert manifest(session, str(back.hop.version)).content_hash == second.content_hash


def test_a_correction_that_was_wrong_is_corrected_by_the_file_before_it(
    session: Session, tmp_path: Path
) -> None:
    """Which was delivered earlier, and to take a place as well; and so on."""
    wrong, right = (tmp_path / name / "s.csv" for name in ("wrong", "right"))
    for path, fare in ((wrong, "9.5"), (right, "1.5")):
        path.parent.mkdir()
        path.write_text(f"ride,fare,at\n1,{fare},1\n")
    for deliver in (dry_run, ingest):
        with pytest.raises(UsageError, match=r"no published drop of rides is named s\.csv"):
            deliver(session, "rides", [wrong], supersede=True)
    assert pending(session, "rides") == []
    told = []
    for number, path in enumerate((wrong, right, wrong, right, right)):
        (dry,) = dry_run(session, "rides", [path], supersede=number > 0)
        (result,) = ingest(session, "rides", [path], supersede=number > 0)
        told.append((str(dry.hops[-1].verdict), str(result.hops[-1].verdict), result.hops[-1].version))
    passed = [("passed", "passed", f"rides@v{number}") for number in (1, 2, 3, 4)]
    assert told == [*passed, ("unchanged", "unchanged", "rides@v4")]
    roll_back(session, VersionName("rides", 3), reason="a test")
    (again,) = ingest(session, "rides", [right], supersede=True)
    assert again.hops[-1].version == "rides@v6"
    assert not any(audit_all(session).values())
    assert reconcile(session) == []


def test_what_stood_in_an_earlier_state_is_known_after_a_clean_up(session: Session, tmp_path: Path) -> None:
    """It takes with it what only trees that are history hold: records that were written over since."""
    before = [take(session, tmp_path, name) for name in ("a.csv", "b.csv")]
    away = roll_back(session, before[0].name, reason="a test")
    aged(session)
    assert clean_up(session, now=datetime.now(UTC) + timedelta(days=2)).blocks > 0
    forth = roll_back(
        open_session(session.settings, say=print), before[1].name, reason="it was right after all"
    )
    assert forth.reinstated == away.withdrawn == [before[1].drop]
    again = [ingest(session, "rides", [tmp_path / "b.csv"])[0]]
    (tmp_path / "b.csv").write_text("ride,fare,at\n9,9.5,9\n")
    again += ingest(session, "rides", [tmp_path / "b.csv"])
    assert [result.hops[1].verdict for result in again] == ["unchanged", "blocked"]
    assert not any(audit_all(session).values())


def test_a_contract_can_say_that_a_corrected_file_does_so(session: Session, tmp_path: Path) -> None:
    first = take(session, tmp_path, "a.csv")
    contract = tmp_path / "catalog" / "contracts" / "rides.odcs.yaml"
    contract.write_text(contract.read_text() + "  - {property: sameName, value: supersede}\n")
    fresh = open_session(session.settings, say=print)
    (tmp_path / "a.csv").write_text("ride,fare,at\n1,1.75,1\n")
    (done,) = ingest(fresh, "rides", [tmp_path / "a.csv"])
    made = manifest(fresh, str(done.hops[1].version))
    assert (made.source["supersedes"], made.counts.after) == (first.drop, 1)


def test_the_file_that_was_corrected_takes_no_place_when_it_is_carried_late(
    session: Session, tmp_path: Path
) -> None:
    contract = tmp_path / "catalog" / "contracts" / "rides.odcs.yaml"
    contract.write_text(contract.read_text() + "  - {property: sameName, value: supersede}\n")
    fresh = open_session(session.settings, say=print)
    path = tmp_path / "late.csv"
    path.write_text("ride,fare,at\n1,1.5,1\n")
    receive(fresh, "rides", path)  # and its process dies
    path.write_text("ride,fare,at\n1,1.75,2\n")
    told = ingest(fresh, "rides", [path])
    assert [result.hops[-1].version for result in told] == ["rides@v1", None]
    assert (
        told[1]
        .hops[-1]
        .reason.startswith(
            "rides@v1 came of a delivery that was received after this one; `ingest --supersede`"
        )
    )
    assert pending(fresh, "rides") == []


def test_a_withdrawn_drop_that_comes_again_is_pending_until_it_stands(
    session: Session, tmp_path: Path
) -> None:
    first, second = take(session, tmp_path, "a.csv"), take(session, tmp_path, "b.csv")
    roll_back(session, first.name, reason="a test")
    assert receive(session, "rides", tmp_path / "b.csv").sha256 == second.drop
    assert pending(session, "rides") == [second.drop]
    (again,) = ingest(session, "rides", [tmp_path / "b.csv"])
    assert again.hops[-1].version == "rides@v4"
    assert pending(session, "rides") == []


@pytest.mark.parametrize(
    ("session", "told"),
    [
        ("replace", "writeMode replace.*it takes the place of all"),
        ("upsert", "writeMode upsert.*its rows win where their at is later"),
    ],
    indirect=["session"],
)
def test_only_what_is_appended_can_be_superseded(session: Session, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"(?s){told}"):
        ingest(session, "rides", [tmp_path / "a.csv"], supersede=True)
