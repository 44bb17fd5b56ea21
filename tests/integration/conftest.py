"""A command line that runs in a worker process, and homes that are copies of one with references and a month
of flights.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lake.pipeline.demo_data import deliver_sample
from lake.server.lifecycle import ensure_server, stop_server
from lakegate.settings import Settings
from tests.support.commands.command_line import CommandLine, Lake, Sample, once
from tests.support.drift.drifting_flights import FLIGHTS
from tests.support.drift.held_readings import READINGS, day
from tests.support.places import ROOT


@pytest.fixture(scope="session")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    started = CommandLine(tmp_path_factory.mktemp("command-line"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(once(tmp_path_factory, "sample", deliver_sample))


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory, command_line: CommandLine) -> Path:
    """A stopped home without any table; not to be opened, but copied."""

    def make(home: Path) -> None:
        assert command_line("up", "--home", home, "--project", ROOT).code == 0
        assert command_line("down", "--home", home).code == 0

    return once(tmp_path_factory, "empty", make)


@pytest.fixture(scope="session")
def stocked_home(
    tmp_path_factory: pytest.TempPathFactory, empty_home: Path, command_line: CommandLine, sample: Sample
) -> Path:
    """A stopped home with the four references and January's first flights; not to be opened, but copied."""

    def make(home: Path) -> None:
        shutil.copytree(empty_home, home)
        lake = Lake(Settings.load(home=home, project=ROOT), command_line, home.parent / "files")
        for dataset in ("airlines", "airports", "planes", "weather"):
            lake.ingest(dataset, sample.reference(dataset))
        lake.ingest("flights", lake.file("flights-2013-01.csv", sample.month(1)))
        stop_server(lake.settings.home)

    return once(tmp_path_factory, "stocked", make)


Open = Callable[..., Lake]


@pytest.fixture(scope="session")
def shared_lakefs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One lakeFS for all tests of a worker that open a tenant of their own."""
    shared = Settings.load(home=tmp_path_factory.mktemp("shared") / "home", project=ROOT)
    ensure_server(shared, say=print)
    yield shared
    stop_server(shared.home)


@pytest.fixture(scope="module")
def open_lake(tmp_path_factory: pytest.TempPathFactory, command_line: CommandLine) -> Iterator[Open]:
    """Copies a stopped home and opens it; stopped again after the module."""
    opened: list[Lake] = []

    def copy(home: Path, *, project: Path = ROOT, name: str = "home") -> Lake:
        folder = tmp_path_factory.mktemp("lake")
        shutil.copytree(home, folder / name)
        lake = Lake(Settings.load(home=folder / name, project=project), command_line, folder / "files")
        opened.append(lake)
        return lake

    yield copy
    for lake in opened:
        stop_server(lake.settings.home)


@pytest.fixture(scope="module")
def lake(open_lake: Open, stocked_home: Path) -> Lake:
    """The module's own copy of the home with references and January's first flights."""
    return open_lake(stocked_home)


@pytest.fixture
def readings(open_lake: Any, empty_home: Any, command_line: Any, tmp_path: Any) -> Any:
    """A lake of the user's own with one day published, and the next held for its unit."""
    assert command_line("init", tmp_path / "project").code == 0
    (tmp_path / "project/catalog/contracts/readings.odcs.yaml").write_text(READINGS)
    lake = open_lake(empty_home, project=tmp_path / "project")
    lake.ingest("readings", lake.file("day-1.csv", day(1)))
    return lake


@pytest.fixture(scope="module")
def project(command_line: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drift") / "project"
    assert command_line("init", folder).code == 0
    (folder / "catalog/contracts/flights.odcs.yaml").write_text(FLIGHTS)
    return folder
