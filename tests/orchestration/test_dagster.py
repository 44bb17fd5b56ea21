"""Drops carried by commands and by the assets' jobs, against a real lakeFS,
and what Dagster was told of it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterRunStatus, RunsFilter, job

from assets import run_tags
from assets.instance import open_instance
from assets.report import report
from assets.reported_versions import reported_number
from lake.decisions.rollback import roll_back
from lake.hops.events import HopEvent, listen
from lake.pipeline.demo_data import REFERENCES
from lake.pipeline.ingest import DropResult, ingest
from lake.session import Session, open_session
from lakegate.errors import LakegateError
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.deliveries.cut_sample import CUT, deliver_cut
from tests.support.orchestration.dagster_home import Home
from tests.support.orchestration.jobs import Jobs

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def home(lakefs_home: Settings) -> Iterator[Home]:
    files = lakefs_home.home.root.parent / "deliveries"
    deliver_cut(files)
    # A tenant of its own: an engine keeps a bucket's keys for as long as its process lives.
    settings = replace(lakefs_home, tenant="dagster")
    with open_instance(settings) as instance:
        yield Home(open_session(settings), instance, files)


@pytest.fixture(scope="module")
def first(home: Home) -> list[DropResult]:
    """References and one month, delivered first of all."""
    return home.carry(*REFERENCES, "flights-2013-01")


def test_every_hop_is_a_materialization_with_its_content_hash_as_data_version(
    home: Home, first: list[DropResult]
) -> None:
    *references, flights = first
    assert [[hop.version for hop in item.hops] for item in references] == [
        [f"{name}_raw@v1", f"{name}@v1"] for name in REFERENCES
    ]
    assert [hop.version for hop in flights.hops] == ["flights_raw@v1", "flights@v1", "flight_features@v1"]
    partition = home.partition("flights", "flights-2013-01")
    for hop in flights.hops:
        assert home.versions(hop.table, None if hop.hop == "features" else partition) == [hop.content_hash]
    assert home.runs() == 6


def test_materialization_tells_numbers_that_the_ui_can_plot(home: Home, first: list[DropResult]) -> None:
    (event,) = home.instance.fetch_materializations(AssetKey("flights"), limit=1).records
    assert event.asset_materialization
    metadata = {name: entry.value for name, entry in event.asset_materialization.metadata.items()}
    hop = first[-1].hops[1]
    assert (metadata["version"], metadata["version number"], metadata["verdict"]) == (
        "flights@v1",
        1,
        "quarantined",
    )
    assert metadata["rows in"] == CUT
    assert metadata["rows quarantined"] == hop.counts["quarantined"] > 0
    assert metadata["dagster/row_count"] == hop.counts["after"]
    assert metadata["commit"] == home.session.repository.commit_of("flights.v1")
    assert "dagster/column_lineage" in metadata


def test_every_family_has_a_check_with_the_failed_rows_of_each_rule(
    home: Home, first: list[DropResult]
) -> None:
    key = AssetCheckKey(AssetKey("flights"), "consistency")
    record = home.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert record.evaluation
    failed = {
        rule["rule"]: rule["failed"] for rule in first[-1].hops[1].rules if rule["family"] == "consistency"
    }
    metadata = record.evaluation.metadata
    assert {name: metadata[f"failed: {name}"].value for name in failed} == failed
    assert not record.evaluation.passed
    assert record.evaluation.severity.value == "WARN"


def test_second_call_does_no_work(home: Home, first: list[DropResult]) -> None:
    before, lake = home.runs(), home.session.repository.commit_of("main")
    results = home.carry(*REFERENCES, "flights-2013-01")
    assert {str(item.verdict) for item in results} == {"unchanged"}
    assert [hop.version for hop in results[-1].hops] == ["flights_raw@v1", "flights@v1"]
    assert (home.runs(), home.session.repository.commit_of("main")) == (before, lake)


@pytest.mark.parametrize("table", ["flights_raw", "flights", "flight_features"])
def test_killed_before_dagster_is_told_the_next_call_tells_the_same(
    home: Home, first: list[DropResult], table: str
) -> None:
    month = {"flights_raw": 2, "flights": 3, "flight_features": 4}[table]
    name = f"flights-2013-{month:02}"

    def killed(reached: str, step: str) -> None:
        if (reached, step) == (table, "tell"):
            raise LakegateError("killed here")

    home.session.watcher = killed
    try:
        with pytest.raises(LakegateError, match="killed here"):
            home.carry(name)
    finally:
        home.session.watcher = None
    (result,) = home.carry(name)
    hop = {hop.table: hop for hop in result.hops}
    assert [str(hop[name].version) for name in ("flights_raw", "flights")] == [
        f"flights_raw@v{month}",
        f"flights@v{month}",
    ]
    partition = home.partition("flights", name)
    assert home.versions("flights_raw", partition)[:1] == [hop["flights_raw"].content_hash]
    assert home.versions("flights", partition) == [hop["flights"].content_hash]
    assert reported_number(home.instance, "flight_features") == month
    assert len(home.versions("flight_features")) == month


def test_several_drops_are_published_in_the_contracts_order(home: Home, first: list[DropResult]) -> None:
    results = home.carry("flights-2013-07", "flights-2013-06")
    assert [[hop.version for hop in item.hops[1:]] for item in results] == [
        ["flights@v5", "flight_features@v5"],
        ["flights@v6", "flight_features@v6"],
    ]
    assert [item.file for item in results] == ["flights-2013-06.csv", "flights-2013-07.csv"]


def test_blocked_drop_is_a_failed_check_and_no_materialization_and_others_go_on(
    home: Home, first: list[DropResult]
) -> None:
    lines = (home.files / "flights-2013-08.csv").read_text().splitlines()
    (home.files / "flights-bad.csv").write_text("\n".join(line.split(",", 1)[1] for line in lines))
    (home.files / "airlines-new.csv").write_text(
        (home.files / "airlines.csv").read_text() + "ZZ,Zeppelin Lines\n"
    )
    blocked, airlines = home.carry("flights-bad", "airlines-new")
    assert str(blocked.verdict) == "blocked"
    assert [hop.table for hop in blocked.hops] == ["flights_raw"]
    assert home.versions("flights_raw", home.partition("flights", "flights-bad")) == []
    key = AssetCheckKey(AssetKey("flights_raw"), "schema")
    record = home.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert record.evaluation
    assert not record.evaluation.passed
    assert record.evaluation.severity.value == "ERROR"
    (run,) = home.instance.get_runs(RunsFilter(tags={run_tags.FAILURE: run_tags.BLOCKED}))
    assert run.status is DagsterRunStatus.FAILURE
    told = [
        str(entry.dagster_event.event_specific_data)
        for entry in home.instance.all_logs(run.run_id)
        if entry.dagster_event
    ]
    assert any(blocked.hops[0].reason in text for text in told)
    assert run.tags["dagster/will_retry"] == "false"
    assert [hop.version for hop in airlines.hops] == ["airlines_raw@v2", "airlines@v2"]
    before = home.runs()
    assert [str(item.verdict) for item in home.carry("flights-bad")] == ["blocked"]
    assert home.runs() == before, "told again of what it knows"


def test_failing_dataset_stops_itself_only(home: Home, first: list[DropResult]) -> None:
    (home.files / "airports-new.csv").write_bytes((home.files / "airports.csv").read_bytes() + b"\n")
    (home.files / "planes-new.csv").write_bytes((home.files / "planes.csv").read_bytes() + b"\n")

    def broken(table: str, step: str) -> None:
        if (table, step) == ("airports", "write"):
            raise ZeroDivisionError("secret value needle-in-a-value")

    home.session.watcher = broken
    stopped: list[tuple[str, LakegateError]] = []
    try:
        results = home.carry(
            "airports-new", "planes-new", on_error=lambda dataset, error: stopped.append((dataset, error))
        )
        assert not Jobs(home.session, home.instance).carry("airports", home.files / "airports-new.csv")
    finally:
        home.session.watcher = None
    ((dataset, error),) = stopped
    assert dataset == "airports"
    assert "ZeroDivisionError" in str(error)
    assert [item.dataset for item in results] == ["planes"]
    (run,) = home.instance.get_runs(
        RunsFilter(tags={run_tags.FAILURE: "LakegateError", run_tags.DATASET: "airports"})
    )
    told = "".join(str(entry) for entry in home.instance.all_logs(run.run_id))
    assert "ZeroDivisionError" in told
    assert "needle-in-a-value" not in told + str(error)


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


def test_dagster_says_nothing_on_the_terminal(
    home: Home, first: list[DropResult], capfd: pytest.CaptureFixture[str]
) -> None:
    home.carry("flights-2013-09")
    captured = capfd.readouterr()
    assert "dagster" not in captured.out + captured.err


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


def test_drop_whose_hops_are_told_apart_is_told_of_its_partition(home: Home, first: list[DropResult]) -> None:
    """As where another command of the home ends, and tells, between them."""
    path = home.files / "flights-2013-06.csv"
    (result,) = ingest(home.session, "flights", [path])
    raw, processed, *_ = result.hops
    for hop in (raw, processed):
        report(home.session, [DropResult("flights", result.drop, (hop,))])
    assert home.versions("flights", home.partition("flights", "flights-2013-06")) == [processed.content_hash]


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
