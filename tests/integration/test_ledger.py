"""The ledger tells of every drop where it is, how it got there, and of each failure what another try may do about it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rides import contract_text
from expectations.verdict import Verdict
from lake import paths
from lake.decisions import rebuild_writer
from lake.decisions.discard import discard
from lake.decisions.reprocess import reprocess
from lake.decisions.rollback import roll_back
from lake.hops import runner
from lake.hops.processed import write_rows
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.maintenance.reconcile import reconcile
from lake.pipeline.ingest import ingest
from lake.reports.ledger_view import entries, trace
from lake.reports.status import open_drops, table_states
from lake.reports.versions import list_quarantine, list_versions
from lake.session import Session, open_session
from lakegate.errors import LakegateError, Transient, UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings

pytestmark = pytest.mark.server


@pytest.fixture
def session(lakefs_home: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Session:
    contracts = tmp_path / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    (contracts / "rides.odcs.yaml").write_text(contract_text(writeMode="append", maxQuarantined=1.0))
    return open_session(
        replace(lakefs_home, project=tmp_path, tenant=f"l{abs(hash(request.node.name)) % 10**8}"), say=print
    )


def delivered(folder: Path, name: str, *rows: str) -> Path:
    (folder / name).write_text("\n".join(["ride,fare", *rows]) + "\n")
    return folder / name


def test_a_published_drop_has_an_entry_at_each_hop(session: Session, tmp_path: Path) -> None:
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
def test_a_record_is_there_whether_it_was_committed_yet_or_not(
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
def test_a_failure_says_where_and_whether_another_try_may_help(
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


def test_a_drop_that_was_received_and_no_more_is_there(
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


def test_a_run_that_nobody_knows_is_told_so(session: Session) -> None:
    with pytest.raises(UsageError, match="no record is of run"):
        trace(session, "0123456789")
    with pytest.raises(UsageError, match="too short"):
        trace(session, "01")
    with pytest.raises(UsageError, match="unknown dataset"):
        entries(session, "riders")


FIVE = (1, 2, 3, 4, 5)
"""Rides, one to a drop, whose digests have another order."""


def failing(honest: Callable[..., Any], nth: int, times: int = 1) -> Callable[..., Any]:
    """Something whose nth call meets what another try may help, and those after it, so many in all."""
    calls = count(1)

    def tried(*args: Any, **kwargs: Any) -> Any:
        if nth <= next(calls) < nth + times:
            raise Transient("lakeFS is away")
        return honest(*args, **kwargs)

    return tried


def test_a_drop_whose_failure_goes_away_is_tried_again_after_the_others(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_rows, "write_change", failing(write_rows.write_change, 1, times=2))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    told = ingest(
        session, "rides", [delivered(tmp_path, f"{number}.csv", f"{number},2.5") for number in (1, 2, 3)]
    )
    assert [(result.file, result.hops[-1].version) for result in told] == [
        ("3.csv", "rides@v1"),
        ("1.csv", "rides@v2"),
        ("2.csv", "rides@v3"),
    ]


def rides_of(session: Session, table: str, folder: Path) -> list[int]:
    """Which ride's drop each version of a table took in."""
    rides = {sha256((folder / f"{ride}.csv").read_bytes()).hexdigest(): ride for ride in FIVE}
    return [rides[version["drop"]] for version in list_versions(session, table)]


@pytest.mark.parametrize(
    ("ordered", "nth", "wanted"),
    [(True, 1, FIVE), (True, 2, FIVE), (True, 4, FIVE), (False, 1, (2, 3, 4, 5, 1))],
)
def test_raw_versions_of_an_ordered_dataset_have_the_numbers_that_they_would_have_without_a_failure(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    ordered: bool,
    nth: int,
    wanted: tuple[int, ...],
) -> None:
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "carry_raw", failing(carry_raw, nth))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    session.catalog.contracts["rides"] = replace(
        session.catalog.get("rides"), order_by="ride" if ordered else None
    )
    told = ingest(session, "rides", [delivered(tmp_path, f"{ride}.csv", f"{ride},2.5") for ride in FIVE])
    assert sorted(int(result.file[0]) for result in told) == [*FIVE]
    assert all(result.hops[-1].verdict is not Verdict.UNCHANGED for result in told)
    assert [tuple(rides_of(session, table, tmp_path)) for table in ("rides_raw", "rides")] == [wanted, wanted]


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_drops_that_nobody_carries_are_taken_up_in_the_order_in_which_they_came(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "carry_raw", failing(carry_raw, nth, times=3))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    session.catalog.contracts["rides"] = replace(session.catalog.get("rides"), order_by="ride")
    files = [delivered(tmp_path, f"{ride}.csv", f"{ride},2.5") for ride in FIVE]
    for path in files:
        receive(session, "rides", path)
    errors: list[LakegateError] = []
    ingest(session, "rides", files[:1], on_error=lambda _, error: errors.append(error))
    assert [str(error) for error in errors] == ["lakeFS is away"] * bool(errors)
    assert rides_of(session, "rides_raw", tmp_path) == sorted(rides_of(session, "rides_raw", tmp_path))
    assert (rides_of(session, "rides_raw", tmp_path) == []) == (nth == 1)
    ingest(session, "rides", files[:1])
    assert [sorted(rides_of(session, table, tmp_path)) for table in ("rides_raw", "rides")] == [[*FIVE]] * 2


def test_a_full_delivery_waits_for_one_that_is_tried_again(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the older one would come too late to be a version."""
    monkeypatch.setattr(write_rows, "write_change", failing(write_rows.write_change, 1))
    monkeypatch.setattr(sys.modules["lake.pipeline.ingest"], "BACK_OFF", (0.01, 0.01))
    session.catalog.contracts["rides"] = replace(session.catalog.get("rides"), write_mode="replace")
    told = ingest(session, "rides", [delivered(tmp_path, f"{ride}.csv", f"{ride},2.5") for ride in FIVE])
    assert [(result.file, result.hops[-1].version) for result in told] == [
        (f"{ride}.csv", f"rides@v{ride}") for ride in FIVE
    ]


def test_it_is_made_anew_from_what_is_published(session: Session, tmp_path: Path) -> None:
    """All of it but what never was published: refusals, waits and failures are told by the ledger alone."""
    files = [delivered(tmp_path, f"{number}.csv", f"{number},2.5") for number in range(4)]
    ingest(session, "rides", files[:3])
    roll_back(session, VersionName("rides", 1), reason="a test")
    ingest(session, "rides", [files[3], files[2]])

    def known() -> set[tuple[Any, ...]]:
        """Of each drop at each table: its state there, as which version, by which attempt, under which key."""
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


def test_a_decision_that_failed_is_called_what_it_is(
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


def test_a_record_that_its_run_did_not_come_to_is_made_up_for(
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
