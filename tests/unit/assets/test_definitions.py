"""Definitions load without an engine, and a broken contract or suite takes down only itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dagster import AssetKey, Definitions

from assets.definitions import define
from assets.factory import BROKEN, make_assets
from assets.web.dev import dev_command
from catalog.files import load_catalog
from lakegate.settings import Settings
from tests.support.places import ROOT

PROJECT = ROOT
TABLES = {"airlines", "airports", "planes", "weather", "flights"}


def test_sensors_run_without_anybody_switching_them_on(defs: Definitions) -> None:
    sensors = {sensor.name: sensor for sensor in defs.sensors or []}
    assert set(sensors) == {"new_drops", "follow_features", "mend"}
    assert all(sensor.default_status.value == "RUNNING" for sensor in sensors.values())


def _copy(tmp_path: Path) -> Path:
    project = tmp_path / "lake"
    for folder in ("catalog/contracts", "catalog/sql", "expectations/suites"):
        shutil.copytree(PROJECT / folder, project / folder)
    return project


def test_broken_contract_is_shown_with_its_error_and_takes_down_nobody_else(tmp_path: Path) -> None:
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


def test_broken_suite_file_takes_down_its_own_dataset_only(tmp_path: Path) -> None:
    project = _copy(tmp_path)
    (project / "expectations/suites/planes.json").write_text("{ this is no JSON")
    made = make_assets(load_catalog(project), project)
    assert set(made.errors) == {"planes"}
    assert set(made.jobs) == TABLES - {"planes"} | {"flight_features"}


def test_empty_lake_has_definitions_too(tmp_path: Path) -> None:
    (tmp_path / "lake/catalog/contracts").mkdir(parents=True)
    defs = define(Settings.load(home=tmp_path / "home", project=tmp_path / "lake", environ={}))
    Definitions.validate_loadable(defs)


def test_definitions_load_without_the_engine_and_without_great_expectations(tmp_path: Path) -> None:
    code = (
        "import sys, assets.definitions; print([m for m in ('great_expectations', 'pyspark', 'pysail', "
        "'pandas', 'deltalake') if m in sys.modules])"
    )
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
