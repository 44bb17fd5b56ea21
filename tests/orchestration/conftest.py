"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from assets.instance import open_instance
from lake.pipeline.demo_data import REFERENCES
from lake.pipeline.ingest import DropResult
from lake.server.lifecycle import ensure_server, stop_server
from lake.session import open_session
from lakegate.settings import Settings
from sensors import landing_sensor
from tests.support.deliveries.cut_sample import deliver_cut
from tests.support.orchestration.dagster_home import Home as DagsterHome
from tests.support.orchestration.landing_home import Home
from tests.support.places import ROOT


@pytest.fixture(scope="module", autouse=True)
def instances_open_fast(migrations_are_kept: None) -> None:
    """These tests open Dagster's instance in their own process, again and again."""


@pytest.fixture(scope="session")
def dagster_home(
    tmp_path_factory: pytest.TempPathFactory, migrations_are_kept: None
) -> Iterator[DagsterHome]:
    """One lake for the files that tell Dagster what was done to it; they go on where another ended."""
    folder = tmp_path_factory.mktemp("dagster")
    deliver_cut(folder / "deliveries")
    # A tenant of its own: an engine keeps a bucket's keys for as long as its process lives.
    settings = Settings.load(home=folder / "home", project=ROOT)
    ensure_server(settings, say=print)
    settings = replace(settings, tenant="dagster")
    try:
        with open_instance(settings) as instance:
            yield DagsterHome(open_session(settings), instance, folder / "deliveries")
    finally:
        stop_server(settings.home)


@pytest.fixture(scope="session")
def first(dagster_home: DagsterHome) -> list[DropResult]:
    """References and one month, delivered first of all."""
    return dagster_home.carry(*REFERENCES, "flights-2013-01")


@pytest.fixture(scope="module")
def opened(lakefs_home: Settings, request: pytest.FixtureRequest) -> Iterator[Home]:
    """A home with its sensors for one file: landing folder, Dagster instance,
    and the demo's files cut short.
    """
    files = lakefs_home.home.root.parent / "deliveries"
    deliver_cut(files)
    # A tenant of its own: an engine keeps a bucket's keys for as long as its process lives.
    tenant = request.path.stem.removeprefix("test_")
    session = open_session(replace(lakefs_home, tenant=tenant))
    with open_instance(lakefs_home) as instance:
        yield Home(session, instance, files)


@pytest.fixture
def home(opened: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The module's home with an empty landing folder."""
    monkeypatch.setattr(landing_sensor.time, "time", lambda: opened.clock)
    opened.empty()
    opened.cursor = None
    return opened
