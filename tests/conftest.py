"""What tests share: settings with a home of their own, and a home whose lakeFS runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from lake.server.install import find_lakefs
from lake.server.lifecycle import ensure_server, stop_server
from lakegate.settings import Settings
from tests.support.commands.shared_engines import keep_migrations
from tests.support.places import ROOT

LONGEST_FIRST = (
    "test_rules_in_gx.py",
    "test_rules_left_to_gx.py",
    "test_own_rules.py",
    "test_feature_sql.py",
    "test_functions.py",
    "test_upsert.py",
    "test_values.py",
    "test_time_patterns.py",
    "test_stranger_to_spark.py",
    "test_histograms.py",
    "test_engines.py",
    "test_soak.py",
    "test_kill_matrix.py",
    "test_killed_demo.py",
    "test_backfill.py",
    "test_demo.py",
    "test_landing.py",
    "test_landing_to_features.py",
    "test_dagster.py",
    "test_dagster_runs.py",
    "test_discreet.py",
    "test_replay_law.py",
    "test_replay.py",
    "test_recovery.py",
    "test_bad_input.py",
    "test_server.py",
    "test_server_recovery.py",
)
"""What takes minutes starts first, so that no worker is left with it in the end."""

# Before pyspark imports gRPC: these processes have two engines,
# a JVM is started where gRPC has threads (see lake/engine/environment.py).
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

# How long an example takes is the machine's affair: speed is measured by `make bench`.
hypothesis.settings.register_profile(
    "untimed", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

PARITY = "tests/parity/"
"""Tests of both engines."""

TOGETHER = (PARITY, "tests/orchestration/test_dagster")
"""How the names of files begin that share what takes long to make: one Spark session, one delivered lake."""

PROJECT = ROOT


def say(line: str) -> None:
    """Pytest shows it with the test that failed."""
    sys.stderr.write(f"{line}\n")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest files first; pytest-xdist hands out whole files in this order."""
    items.sort(
        key=lambda item: (
            LONGEST_FIRST.index(item.path.name) if item.path.name in LONGEST_FIRST else len(LONGEST_FIRST)
        )
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole files; those that share one Spark session, or one lake, go to one worker,
    for each other would start a JVM of its own, or deliver everything again.
    """
    from xdist.scheduler import LoadFileScheduling

    class ByShare(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return next((beginning for beginning in TOGETHER if file.startswith(beginning)), file)

    return ByShare(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def migrations_are_kept() -> None:
    """For tests that open Dagster's instance in their own process."""
    keep_migrations()


@pytest.fixture(scope="module", autouse=True)
def lakefs_is_built(request: pytest.FixtureRequest) -> None:
    """On a machine without a lakeFS it is built before a module that needs one: minutes,
    which tests with time limits don't have.
    """
    of_module = [item for item in request.session.items if item.path == request.path]
    if any(item.get_closest_marker("server") for item in of_module):
        find_lakefs(Settings.load(project=PROJECT), say=say)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """The real project with a fresh home; whatever lakeFS a test starts there is stopped after it."""
    fresh = Settings.load(home=tmp_path / "home", project=PROJECT)
    yield fresh
    stop_server(fresh.home)


@pytest.fixture(scope="module")
def lakefs_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The real project with a home that the module's tests share, its lakeFS running."""
    shared = Settings.load(home=tmp_path_factory.mktemp("lakefs") / "home", project=PROJECT)
    ensure_server(shared, say=say)
    yield shared
    stop_server(shared.home)
