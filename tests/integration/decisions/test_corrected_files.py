"""A corrected file takes the place of a published drop, whenever it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.decisions.rollback import roll_back
from lake.hops.receive import receive
from lake.ledger.receipts import pending
from lake.maintenance.reconcile import reconcile
from lake.maintenance.verify import audit_all
from lake.pipeline.dry_run import dry_run
from lake.pipeline.ingest import ingest
from lake.session import Session, open_session
from lakegate import open_snapshot
from lakegate.errors import UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.rides_rolled_back import manifest, open_rides, take

pytestmark = pytest.mark.server


@pytest.fixture
def session(shared_lakefs: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return open_rides(shared_lakefs, tmp_path, request.node.name, mode=getattr(request, "param", "append"))


def test_corrected_file_takes_the_place_of_a_published_drop(session: Session, tmp_path: Path) -> None:
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
    assert third.balance == {"set_aside": 4, "open": 3, "replayed": 0, "discarded": 0, "superseded": 1}
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


def test_correction_that_was_wrong_is_corrected_by_the_file_before_it(
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


def test_contract_can_say_that_a_corrected_file_does_so(session: Session, tmp_path: Path) -> None:
    first = take(session, tmp_path, "a.csv")
    contract = tmp_path / "catalog" / "contracts" / "rides.odcs.yaml"
    contract.write_text(contract.read_text() + "  - {property: sameName, value: supersede}\n")
    fresh = open_session(session.settings, say=print)
    (tmp_path / "a.csv").write_text("ride,fare,at\n1,1.75,1\n")
    (done,) = ingest(fresh, "rides", [tmp_path / "a.csv"])
    made = manifest(fresh, str(done.hops[1].version))
    assert (made.source["supersedes"], made.counts.after) == (first.drop, 1)


def test_file_that_was_corrected_takes_no_place_when_it_is_carried_late(
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
