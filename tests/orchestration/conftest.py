"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from assets.instance import open_instance
from lake.session import open_session
from lakegate.settings import Settings
from sensors import landing_sensor
from tests.support.deliveries.cut_sample import deliver_cut
from tests.support.orchestration.landing_home import Home


@pytest.fixture(scope="module", autouse=True)
def instances_open_fast(migrations_are_kept: None) -> None:
    """These tests open Dagster's instance in their own process, again and again."""


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
