"""Drops carried by the assets' jobs, runs whose process died,
and what Dagster is told late of work that nobody told it of.

What a test finds was delivered by those before it; the lake is that of test_dagster.py, which comes first.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterRunStatus, RunsFilter, job

from assets import run_tags
from assets.report import report
from assets.reported_versions import reported_number
from lake.decisions.rollback import roll_back
from lake.hops.events import HopEvent, listen
from lake.pipeline.ingest import DropResult, ingest
from lake.session import Session
from lakegate.errors import LakegateError
from lakegate.names import VersionName
from tests.support.orchestration.dagster_home import Home
from tests.support.orchestration.jobs import Jobs

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def home(dagster_home: Home) -> Home:
    """The lake that this file shares with test_dagster.py."""
    return dagster_home


def test_run_whose_process_is_gone_holds_nothing_up(home: Home, first: list[DropResult]) -> None:
    @job
    def nothing() -> None:
        pass

    gone = {run_tags.PROCESS: f"{socket.gethostname()}:{2**22 - 3}:1"}
    dead = home.instance.create_run_for_job(nothing, status=DagsterRunStatus.STARTED, tags=gone)
    alive = home.instance.create_run_for_job(
        nothing, status=DagsterRunStatus.STARTED, tags={run_tags.PROCESS: run_tags.this_process()}
    )
    storage = home.instance.event_log_storage
    storage.set_concurrency_slots("pool", 2)
    for run in (dead, alive):
        assert storage.claim_concurrency_slot("pool", run.run_id, "nothing").is_claimed
    assert run_tags.end_dead_runs(home.instance) == 1
    assert [slot.run_id for slot in storage.get_concurrency_info("pool").claimed_slots] == [alive.run_id]
    found = {
        run.run_id: run.status
        for run in home.instance.get_runs(RunsFilter(run_ids=[dead.run_id, alive.run_id]))
    }
    assert found == {dead.run_id: DagsterRunStatus.FAILURE, alive.run_id: DagsterRunStatus.STARTED}
    home.instance.report_run_failed(alive)


def test_run_that_dies_before_it_tells_is_followed_by_one_that_tells_the_same(
    home: Home, first: list[DropResult]
) -> None:
    """Of the jobs that Dagster's own runs carry out, at each hop."""
    jobs, path, features = (
        Jobs(home.session, home.instance),
        home.files / "flights-2013-10.csv",
        home.versions("flight_features"),
    )
    for table in ("flights_raw", "flights", "flight_features"):

        def killed(reached: str, step: str, table: str = table) -> None:
            if (reached, step) == (table, "tell"):
                raise LakegateError("killed here")

        home.session.watcher = killed
        try:
            assert not (
                jobs.run("carry_flight_features")
                if table == "flight_features"
                else jobs.carry("flights", path)
            )
        finally:
            home.session.watcher = None
        if table == "flights":
            assert jobs.carry("flights", path)
    assert home.versions("flight_features") == features
    assert jobs.run("carry_flight_features")
    partition, (result,) = (
        home.partition("flights", "flights-2013-10"),
        ingest(home.session, "flights", [path]),
    )
    hashes = {hop.table: hop.content_hash for hop in result.hops}
    assert set(home.versions("flights_raw", partition)) == {hashes["flights_raw"]}
    assert home.versions("flights", partition) == [hashes["flights"]]
    told = home.versions("flight_features")
    assert (told[1:], reported_number(home.instance, "flight_features")) == (features, len(told))
    before = home.runs()
    report(home.session, [result])
    assert home.runs() == before, "told again of what it knows"


def test_listener_hears_of_dagsters_own_runs_too(home: Home, first: list[DropResult]) -> None:
    heard: list[tuple[str, str]] = []

    class Remembers:
        name = "remembers"

        def hear(self, _: Session, events: Sequence[HopEvent]) -> None:
            heard.extend((event.result.table, event.kind) for event in events)

    listen(home.session, Remembers())
    assert Jobs(home.session, home.instance).carry("flights", home.files / "flights-2013-12.csv")
    assert heard == [("flights_raw", "published"), ("flights", "published")]


def test_run_whose_drop_is_blocked_is_a_failed_check_and_no_materialization(
    home: Home, first: list[DropResult]
) -> None:
    lines = (home.files / "flights-2013-08.csv").read_text().splitlines()
    path = home.files / "flights-worse.csv"
    path.write_text("\n".join(line.split(",", 2)[2] for line in lines))
    assert not Jobs(home.session, home.instance).carry("flights", path)
    partition = home.partition("flights", "flights-worse")
    assert home.versions("flights_raw", partition) == []
    (run,) = home.instance.get_runs(
        RunsFilter(tags={run_tags.FAILURE: run_tags.BLOCKED, run_tags.PARTITION: partition})
    )
    assert run.status is DagsterRunStatus.FAILURE
    key = AssetCheckKey(AssetKey("flights_raw"), "schema")
    record = home.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert record.run_id == run.run_id
    assert record.evaluation
    assert (record.evaluation.passed, record.evaluation.severity.value) == (False, "ERROR")


def test_drop_that_ingest_processed_is_told_once_as_the_run_of_its_job(
    home: Home, first: list[DropResult]
) -> None:
    results = ingest(home.session, "flights", [home.files / "flights-2013-11.csv"])
    before = home.runs()
    for _ in range(2):
        report(home.session, results)
    partition = home.partition("flights", "flights-2013-11")
    hops = {hop.table: hop for hop in results[0].hops}
    assert home.versions("flights_raw", partition) == [hops["flights_raw"].content_hash]
    assert home.versions("flights", partition) == [hops["flights"].content_hash]
    assert home.versions("flight_features")[0] == hops["flight_features"].content_hash
    assert home.runs() == before + 2
    features, flights = home.instance.get_run_records(limit=2)
    for record, dataset in ((flights, "flights"), (features, "flight_features")):
        run = record.dagster_run
        assert (run.job_name, run.status, run.tags[run_tags.DATASET]) == (
            f"carry_{dataset}",
            DagsterRunStatus.SUCCESS,
            dataset,
        )
        assert record.start_time
        assert record.end_time
        assert record.start_time < record.end_time
    assert flights.dagster_run.tags[run_tags.PARTITION] == partition
    for table, record in (("flights_raw", flights), ("flights", flights), ("flight_features", features)):
        (event,) = home.instance.fetch_materializations(AssetKey(table), limit=1).records
        assert event.run_id == record.dagster_run.run_id
    key = AssetCheckKey(AssetKey("flights"), "consistency")
    check = home.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert (check.run_id, check.partition) == (flights.dagster_run.run_id, partition)


def test_rollback_that_was_never_told_is_told_with_what_comes_next(
    home: Home, first: list[DropResult]
) -> None:
    """As where a command dies after its publish: of it no drop reminds, and nobody does it twice."""
    results = ingest(home.session, "flights", [home.files / "flights-2013-12.csv"])
    report(home.session, results)
    known = home.versions("flights")
    (flights,) = [VersionName.parse(str(hop.version)) for hop in results[0].hops if hop.table == "flights"]
    back = roll_back(home.session, VersionName("flights", flights.number - 1), reason="a test")
    for _ in range(2):
        report(home.session, [])
        assert home.versions("flights") == [back.hop.content_hash, *known]
