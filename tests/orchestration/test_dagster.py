"""Drops carried by commands, against a real lakeFS, and what Dagster was told of it.

What a test finds was delivered by those before it; test_dagster_runs.py goes on from here.
"""

from __future__ import annotations

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterRunStatus, RunsFilter

from assets import run_tags
from assets.report import report
from assets.reported_versions import reported_number
from lake.pipeline.demo_data import REFERENCES
from lake.pipeline.ingest import DropResult, ingest
from lakegate.errors import LakegateError
from tests.support.deliveries.cut_sample import CUT
from tests.support.orchestration.dagster_home import Home
from tests.support.orchestration.jobs import Jobs

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def home(dagster_home: Home) -> Home:
    """The lake that this file shares with test_dagster_runs.py."""
    return dagster_home


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


def test_dagster_says_nothing_on_the_terminal(
    home: Home, first: list[DropResult], capfd: pytest.CaptureFixture[str]
) -> None:
    home.carry("flights-2013-09")
    captured = capfd.readouterr()
    assert "dagster" not in captured.out + captured.err


def test_drop_whose_hops_are_told_apart_is_told_of_its_partition(home: Home, first: list[DropResult]) -> None:
    """As where another command of the home ends, and tells, between them."""
    path = home.files / "flights-2013-06.csv"
    (result,) = ingest(home.session, "flights", [path])
    raw, processed, *_ = result.hops
    for hop in (raw, processed):
        report(home.session, [DropResult("flights", result.drop, (hop,))])
    assert home.versions("flights", home.partition("flights", "flights-2013-06")) == [processed.content_hash]
