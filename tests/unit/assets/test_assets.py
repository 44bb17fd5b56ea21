"""From contracts to assets: keys, partitions, checks, and what a broken contract takes down (only itself)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from dagster import AssetCheckKey, AssetKey, Definitions, DynamicPartitionsDefinition

from assets.dagster_listener import DagsterListener
from assets.definitions import define
from assets.events.checks import check_results
from assets.events.lineage import sources_of
from assets.events.triggers import trigger_event
from assets.factory import BROKEN, make_assets
from assets.partitions import key_of
from assets.web.dev import dev_command
from catalog.files import load_catalog
from cli.notify import tell_listeners
from expectations.verdict import Verdict
from lake.hops.events import emit, listen
from lake.hops.job import HopResult
from lake.ledger.receipts import Drop
from lake.listeners.registry import TRIES
from lake.session import Session
from lake.versions.publish import Published
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.places import ROOT

PROJECT = ROOT
TABLES = {"airlines", "airports", "planes", "weather", "flights"}


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    return define(Settings.load(home=tmp_path_factory.mktemp("assets"), project=PROJECT, environ={}))


def test_each_dataset_gives_a_raw_and_a_processed_asset_and_each_feature_one(defs: Definitions) -> None:
    found = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert found == TABLES | {f"{name}_raw" for name in TABLES} | {"flight_features"} | {
        f"retrain/{name}" for name in TABLES
    }


def test_raw_and_processed_share_a_partition_per_drop_and_features_have_none(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for table in ("flights_raw", "flights"):
        partitions = graph.get(AssetKey(table)).partitions_def
        assert isinstance(partitions, DynamicPartitionsDefinition)
        assert partitions.name == "drops_flights"
    assert graph.get(AssetKey("flight_features")).partitions_def is None


def test_lineage_leads_from_raw_and_references_to_the_feature(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()

    def parents(table: str) -> set[str]:
        return {key.to_user_string() for key in graph.get(AssetKey(table)).parent_keys}

    assert parents("flights_raw") == set()
    assert parents("flights") == {"flights_raw", "airlines", "airports", "planes"}
    assert parents("flight_features") == {"flights", "weather"}


def test_every_family_with_rules_at_a_hop_is_a_check(defs: Definitions) -> None:
    checks = defs.resolve_asset_graph().asset_check_keys
    assert AssetCheckKey(AssetKey("flights_raw"), "schema") in checks
    assert {key.name for key in checks if key.asset_key == AssetKey("flights")} >= {
        "schema",
        "range",
        "duplicate",
        "consistency",
    }
    assert {key.name for key in checks if key.asset_key == AssetKey("flight_features")} >= {
        "duplicate",
        "consistency",
    }


def test_an_asset_tells_its_columns_its_owner_and_what_it_was_made_under(defs: Definitions) -> None:
    node = defs.resolve_asset_graph().get(AssetKey("flights"))
    schema = node.metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns][:3] == ["year", "month", "day"]
    assert node.owners == ["team:flight-data"]
    assert node.group_name == "flights"
    assert {"lakefs", "deltalake"} <= node.kinds
    assert node.code_version is not None


def test_the_sensors_run_without_anybody_switching_them_on(defs: Definitions) -> None:
    sensors = {sensor.name: sensor for sensor in defs.sensors or []}
    assert set(sensors) == {"new_drops", "follow_features", "mend"}
    assert all(sensor.default_status.value == "RUNNING" for sensor in sensors.values())


def test_columns_of_a_feature_are_followed_through_its_sql() -> None:
    catalog = load_catalog(PROJECT)
    sources = sources_of(catalog.get("flight_features"), catalog.contracts)
    assert sources["temp"] == [("weather", "temp")]
    assert sources["label_known"] == [("flights", "arr_delay")]
    assert sources["has_weather"] == [("weather", "origin")]


def _copy(tmp_path: Path) -> Path:
    project = tmp_path / "lake"
    for folder in ("catalog/contracts", "catalog/sql", "expectations/suites"):
        shutil.copytree(PROJECT / folder, project / folder)
    return project


def test_a_broken_contract_is_shown_with_its_error_and_takes_down_nobody_else(tmp_path: Path) -> None:
    project = _copy(tmp_path)
    contract = project / "catalog/contracts/weather.odcs.yaml"
    contract.write_text(contract.read_text().replace("logicalType:", "logicaltype:", 1))
    defs = define(Settings.load(home=tmp_path / "home", project=project, environ={}))
    graph = defs.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.materializable_asset_keys} == {
        *(TABLES - {"weather"}),
        *(f"{name}_raw" for name in TABLES - {"weather"}),
    }
    shown = graph.get(AssetKey("weather"))
    assert shown.group_name == BROKEN
    assert "weather.odcs.yaml:" in shown.description
    assert graph.get(AssetKey("flight_features")).group_name == BROKEN


def test_a_broken_suite_file_takes_down_its_own_dataset_only(tmp_path: Path) -> None:
    project = _copy(tmp_path)
    (project / "expectations/suites/planes.json").write_text("{ this is no JSON")
    made = make_assets(load_catalog(project), project)
    assert set(made.errors) == {"planes"}
    assert set(made.jobs) == TABLES - {"planes"} | {"flight_features"}


def test_an_empty_lake_has_definitions_too(tmp_path: Path) -> None:
    (tmp_path / "lake/catalog/contracts").mkdir(parents=True)
    defs = define(Settings.load(home=tmp_path / "home", project=tmp_path / "lake", environ={}))
    Definitions.validate_loadable(defs)


def test_a_partition_reads_as_the_file_and_ends_in_the_drops_digits() -> None:
    drop = Drop("default", "flights", "3f2a" * 16, "flights 2013-01...csv\n", 1, "")
    assert key_of(drop) == "flights_2013-01_csv_~3f2a3f2a3f2a"


def test_a_check_fails_as_an_error_only_where_a_rule_blocks() -> None:
    rules = [
        {"rule": "a", "family": "range", "severity": "quarantine", "failed": 2},
        {"rule": "b", "family": "schema", "severity": "block", "failed": 1},
        {"rule": "c", "family": "duplicate", "severity": "block", "failed": 0},
    ]
    found = {
        item.check_name: item
        for item in check_results(
            "t", ["range", "schema", "duplicate"], rules, {"records_in": 8, "quarantined": 2}
        )
    }
    assert not found["range"].passed
    assert found["range"].severity.value == "WARN"
    assert found["range"].metadata["failed: a"].value == 2
    assert found["range"].metadata["share quarantined"].value == 0.25
    assert not found["schema"].passed
    assert found["schema"].severity.value == "ERROR"
    assert found["duplicate"].passed


def test_a_family_that_was_not_judged_is_left_out_where_a_drop_could_not_be_opened() -> None:
    rules = [{"rule": "readable", "family": "schema", "severity": "block", "failed": 1}]
    assert [
        item.check_name for item in check_results("t", ["schema", "range"], rules, {}, only_judged=True)
    ] == ["schema"]


def test_definitions_load_without_the_engine_and_without_great_expectations(tmp_path: Path) -> None:
    code = "import sys, assets.definitions; print([m for m in ('great_expectations', 'pyspark', 'pysail', 'pandas', 'deltalake') if m in sys.modules])"
    env = {
        **os.environ,
        "LAKEGATE_HOME": str(tmp_path / "home"),
        "LAKEGATE_PROJECT": str(PROJECT),
        "PYTHONPATH": str(PROJECT),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
    assert not (tmp_path / "home").exists()


def test_dev_listens_on_loopback_and_is_told_home_and_project(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path / "home", project=PROJECT, environ={})
    command, env = dev_command(settings, port=4321)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "4321"
    assert env["LAKEGATE_HOME"] == str(settings.home.root)
    assert Path(env["DAGSTER_HOME"], "dagster.yaml").is_file()


def test_a_version_that_breaks_a_trigger_raises_one_event_with_what_was_seen() -> None:
    rules = [
        {
            "rule": "drift:pinned:trigger",
            "family": "distribution",
            "severity": "trigger",
            "failed": 1,
            "of": 3,
            "value": 0.2,
        }
    ]
    manifest = SimpleNamespace(notes={"triggers": ["drift:pinned:trigger"]}, rules=rules)
    event = trigger_event(
        cast("Published", SimpleNamespace(manifest=manifest, name=VersionName("flights", 3)))
    )
    assert event is not None
    assert event.asset_key == AssetKey(["retrain", "flights"])
    assert {name: value.value for name, value in event.metadata.items()} == {
        "version": "flights@v3",
        "rules": "drift:pinned:trigger",
        "drift:pinned:trigger": 0.2,
    }
    manifest.notes = {}
    assert (
        trigger_event(cast("Published", SimpleNamespace(manifest=manifest, name=VersionName("flights", 3))))
        is None
    )


def test_a_check_tells_the_trend_since_the_version_before() -> None:
    def rule(failed: int) -> dict[str, object]:
        return {"rule": "a", "family": "range", "severity": "warn", "failed": failed, "of": 10}

    (first,) = check_results("t", ["range"], [rule(5)], {"records_in": 10})
    (second,) = check_results("t", ["range"], [rule(2)], {"records_in": 10}, before=[rule(5)])
    assert first.metadata["greatest share failing"].value == 0.5
    assert "change of the greatest share failing" not in first.metadata
    assert second.metadata["change of the greatest share failing"].value == pytest.approx(-0.3)
    assert second.metadata["rules broken before"].value == 1


@pytest.mark.parametrize(
    ("collisions", "told"), [(TRIES - 1, ""), (TRIES, "warning: Dagster was not notified (LookupError)")]
)
def test_dagster_is_told_again_where_another_was_telling_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    collisions: int,
    told: str,
) -> None:
    asked: list[object] = []
    settings = Settings.load(home=tmp_path, project=tmp_path)
    settings.home.prepare()
    session = Session(settings, cast("Any", None), cast("Any", None))
    listen(session, DagsterListener())
    emit(session, "rides", HopResult("processed", "rides", Verdict.PASSED, "rides@v1", {}, []))

    def report(*_: object) -> None:
        asked.append(_)
        if len(asked) <= collisions:
            raise LookupError("another was first")

    monkeypatch.setattr("assets.report.report", report)
    tell_listeners(session)
    assert capsys.readouterr().err.partition(";")[0] == told
    assert len(asked) == min(collisions + 1, TRIES)
