"""`status` tells what waits, and the ledger's records are made anew from what is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lake import paths
from lake.decisions.discard import discard
from lake.decisions.rollback import roll_back
from lake.hops import runner
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.maintenance.reconcile import reconcile
from lake.pipeline.ingest import ingest
from lake.reports.ledger_view import entries
from lake.reports.status import open_drops, table_states
from lake.reports.versions import list_quarantine
from lake.session import Session
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.rides_ledger import delivered, open_rides

pytestmark = pytest.mark.server


@pytest.fixture
def session(shared_lakefs: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return open_rides(shared_lakefs, tmp_path, request.node.name)


def test_ledger_is_made_anew_from_what_is_published(session: Session, tmp_path: Path) -> None:
    """All of it but what never was published: refusals, waits and failures are told by the ledger alone."""
    files = [delivered(tmp_path, f"{number}.csv", f"{number},2.5") for number in range(4)]
    ingest(session, "rides", files[:3])
    roll_back(session, VersionName("rides", 1), reason="a test")
    ingest(session, "rides", [files[3], files[2]])

    def known() -> set[tuple[Any, ...]]:
        """Of each drop at each table: its state there, as which version, by which attempt,
        under which key.
        """
        found = ((item, records.read(session, item)) for item in records.find(session, dataset="rides"))
        newest = {
            (body["version"], item.table, item.state): (body["attempt"], item.key) for item, body in found
        }
        return {
            (item.cause, item.table, item.state, item.version, *newest[item.version, item.table, item.state])
            for item in entries(session)
        }

    def decided() -> list[tuple[str, str]]:
        return [(item.named, item.state) for item in entries(session) if item.made_by]

    before = known()
    assert decided() == [("rollback to v1", "published")]
    assert sorted(state for _, table, state, *_ in before if table == "rides") == ["published"] * 4 + [
        "withdrawn"
    ]
    assert reconcile(session) == []
    session.repository.delete_branch(paths.LEDGER)
    session.repository.branch(paths.LEDGER, MAIN)
    assert entries(session) == []
    assert {item.outcome for item in reconcile(session)} == {"mended"}
    assert known() == before
    assert decided() == [("rollback to v1", "published")]
    assert reconcile(session) == []


def test_record_that_its_run_did_not_come_to_is_made_up_for(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(runner, "record", lambda *_: None)
        ingest(
            session, "rides", [delivered(tmp_path, "1.csv", "1,2.5"), delivered(tmp_path, "2.csv", "2,2.5")]
        )
        roll_back(session, VersionName("rides", 1), reason="a test")
    told = [(item.what, item.where.split()[0]) for item in reconcile(session)]
    assert sorted(told) == sorted(
        [("no record that a drop is published", "rides_raw")] * 2
        + [("no record that a drop is published", "rides")] * 2
    )
    assert {(item.table, item.state) for item in entries(session)} >= {
        ("rides", "withdrawn"),
        ("rides", "published"),
    }


def test_status_says_of_a_drop_that_is_not_published_what_it_waits_for(
    session: Session, tmp_path: Path
) -> None:
    """Whatever an earlier hop, or an earlier delivery of it, came to."""
    contract, files = (
        session.catalog.get("rides"),
        [delivered(tmp_path, f"{number}.csv", f"{number},2.5") for number in range(3)],
    )
    carry_raw(session, contract, receive(session, "rides", files[0]))
    (found,) = open_drops(session)
    assert (found["file"], found["state"]) == ("0.csv", "received")
    assert found["reason"].startswith("rides_raw@v1 is published, rides has not judged it yet")
    ingest(session, "rides", files[1:])
    assert open_drops(session) == []
    roll_back(session, VersionName("rides", 1), reason="a test")
    receive(session, "rides", files[2])
    assert [(item["state"], item["reason"]) for item in open_drops(session)] == [
        ("received", "delivered anew since it was withdrawn")
    ]


def test_status_counts_rows_set_aside_until_somebody_decides_on_them(
    session: Session, tmp_path: Path
) -> None:
    def counted() -> int:
        (state,) = table_states(session)
        return int(state["open_quarantined"])

    assert counted() == 0
    ingest(
        session, "rides", [delivered(tmp_path, "1.csv", *(f"{ride},2.5" for ride in range(20)), "20,free")]
    )
    ingest(
        session,
        "rides",
        [delivered(tmp_path, "2.csv", *(f"{ride},2.5" for ride in range(30, 50)), "50,free")],
    )
    contract = session.catalog.get("rides")
    first, _ = list_quarantine(session, contract)
    assert counted() == 2
    discard(session, contract, reason="a test", drop=first["drop"])
    assert counted() == len(list_quarantine(session, contract)) == 1
