"""The ledger tells of every drop where it is, how it got there,
and of each failure what another try may do about it.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lake import paths
from lake.decisions import rebuild_writer
from lake.decisions.reprocess import reprocess
from lake.hops.processed import write_rows
from lake.hops.receive import receive
from lake.ledger import records
from lake.pipeline.ingest import ingest
from lake.reports.ledger_view import entries, trace
from lake.reports.status import open_drops
from lake.session import Session, open_session
from lakegate.errors import Transient, UsageError
from lakegate.settings import Settings
from tests.support.lakes.rides_ledger import delivered, open_rides

pytestmark = pytest.mark.server


@pytest.fixture
def session(shared_lakefs: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    return open_rides(shared_lakefs, tmp_path, request.node.name)


def test_published_drop_has_an_entry_at_each_hop(session: Session, tmp_path: Path) -> None:
    ingest(session, "rides", [delivered(tmp_path, "1.csv", "1,2.5")])
    found = entries(session, "rides")
    assert [(item.table, item.state, item.version, item.attempts, item.failures) for item in found] == [
        ("rides_raw", "published", 1, 1, 0),
        ("rides", "published", 1, 1, 0),
    ]
    assert {item.run for item in found} == {session.run}
    bodies = [records.read(session, item) for item in records.find(session, dataset="rides")]
    assert all(
        {"stage", "write", "judge", "commit", "merge", "tag", "keep"} <= set(body["durations"])
        for body in bodies
    )
    assert [item.seconds for item in found] == [
        pytest.approx(sum(body["durations"].values()), abs=1e-3) for body in bodies
    ]
    assert [item["table"] for item in trace(session, session.run[:10])] == ["rides_raw", "rides"]


@pytest.mark.parametrize("commits", [1, 2**40])
def test_record_is_there_whether_it_was_committed_yet_or_not(
    commits: int, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "COMMIT_ONE_IN", commits)
    for number in range(3):
        records.write(
            session,
            dataset="rides",
            cause="c",
            table="rides",
            state="waiting",
            key=str(number),
            body={"number": number},
        )
    again = open_session(session.settings, say=print)
    assert [
        records.read(again, record)["number"] for record in records.find(again, dataset="rides", cause="c")
    ] == [0, 1, 2]
    assert len(session.repository.uncommitted(paths.LEDGER)) == (0 if commits == 1 else 3)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Transient("lakeFS is away"), (True, "lakeFS is away")),
        (RuntimeError("Anna, born 1970-01-01"), (False, "an error that nobody foresaw")),
    ],
)
def test_failure_says_where_and_whether_another_try_may_help(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    told: tuple[bool, str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(write_rows, "write_change", fail)
        patch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", ())
        with pytest.raises(type(error)):
            ingest(session, "rides", [delivered(tmp_path, "1.csv", "1,2.5")])
    failed = entries(session, "rides")[-1]
    assert (failed.state, failed.step, failed.reason) == ("failed", "write.quarantine", told[1])
    (record,) = [item for item in records.find(session, dataset="rides") if item.state == "failed"]
    body = records.read(session, record)
    assert body["retriable"] is told[0]
    assert body["kind"] == type(error).__name__
    assert body["run"] == session.run
    assert re.fullmatch(r"[0-9a-f]{32}", body["attempt"])
    assert "Anna" not in json.dumps(body)
    assert [(item["state"], item["reason"]) for item in open_drops(session)] == [("failed", told[1])]
    ingest(session, "rides", [tmp_path / "1.csv"])
    done = entries(session, "rides")[-1]
    assert (done.state, done.attempts, done.failures) == ("published", 2, 1)


def test_drop_that_was_received_and_no_more_is_there(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = receive(session, "rides", delivered(tmp_path, "1.csv", "1,2.5"))
    (found,) = entries(session)
    assert (found.cause, found.table, found.state) == (drop.sha256, "rides_raw", "received")
    assert (
        0
        <= datetime.now(UTC).timestamp() - datetime.strptime(found.at, "%Y%m%dT%H%M%S.%f%z").timestamp()
        < 60
    )
    ingest(session, "rides", [delivered(tmp_path, "2.csv", "2,2.5")])
    late = receive(session, "rides", delivered(tmp_path, "3.csv", "3,2.5"))
    assert [item.state for item in entries(session)] == ["published"] * 4 + ["received"]
    assert [(item.cause, item.state) for item in entries(session, newest=2)][1:] == [
        (late.sha256, "received")
    ]
    assert len(entries(session, newest=2)) == 2


def test_run_that_nobody_knows_is_told_so(session: Session) -> None:
    with pytest.raises(UsageError, match="no record is of run"):
        trace(session, "0123456789")
    with pytest.raises(UsageError, match="too short"):
        trace(session, "01")
    with pytest.raises(UsageError, match="unknown dataset"):
        entries(session, "riders")


def test_decision_that_failed_is_called_what_it_is(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(session, "rides", [delivered(tmp_path, f"{number}.csv", f"{number},2.5") for number in range(2)])

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(rebuild_writer, "write_change", fail)
        with pytest.raises(RuntimeError):
            reprocess(session, session.catalog.get("rides"))
    found = entries(session, "rides")[-1]
    assert (found.named, found.state, found.made_by, found.made_from) == (
        "reprocess of v2",
        "failed",
        "reprocess",
        "rides@v2",
    )
    assert [item.named for item in entries(session, "rides")[:-1]] == [
        item.cause[:12] for item in entries(session, "rides")[:-1]
    ]
