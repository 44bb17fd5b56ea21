"""Files that land reach the features by Dagster's own processes, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from dagster import DagsterRunStatus, RunsFilter

from assets import run_tags
from assets.web.dev import dev_command
from lake.maintenance.verify import audit_all
from tests.support.orchestration.landing_home import Home
from tests.support.places import ROOT

pytestmark = pytest.mark.server
END_TO_END_SECONDS = 300
"""When to give up; on an idle machine it takes well under a minute."""


def _until(done: Callable[[], bool], *, seconds: float) -> float:
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if done():
            return time.monotonic() - start
        time.sleep(0.2)
    return float("inf")


@contextmanager
def dagster(home: Home, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's UI, daemon and code location on the home."""
    command, needs = dev_command(home.session.settings)
    with log.open("a") as out:
        environment = {**os.environ, **needs, "PYTHONPATH": str(ROOT)}
        dev = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield dev
        finally:
            with suppress(ProcessLookupError):
                os.killpg(dev.pid, signal.SIGINT)
            try:
                dev.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(dev.pid, signal.SIGKILL)


def test_files_reach_the_features_with_no_click_and_whatever_dies(home: Home, tmp_path: Path) -> None:
    """One that is put into the landing folder; and one whose run and daemon are killed,
    once they are started again.
    """
    home.references()
    tables, log = ("flights_raw", "flights", "flight_features"), tmp_path / "dev.log"
    before = [home.version(table) for table in tables]

    def claimed() -> bool:
        """Whether a process works on a run of the drop that came last."""
        started = home.instance.get_runs(
            RunsFilter(job_name="carry_flights", statuses=[DagsterRunStatus.STARTED])
        )
        return any(run_tags.PROCESS in run.tags for run in started)

    def carried(target: Path, times: int) -> None:
        put_away = target.parent / ".done" / target.name
        assert _until(put_away.is_file, seconds=END_TO_END_SECONDS) < END_TO_END_SECONDS, log.read_text()[
            -4000:
        ]
        reached = _until(
            lambda: home.version("flight_features") == before[2] + times, seconds=END_TO_END_SECONDS
        )
        assert reached < END_TO_END_SECONDS, log.read_text()[-4000:]
        assert [home.version(table) for table in tables] == [number + times for number in before]

    with dagster(home, log) as dev:
        carried(home.sample("flights", "flights-2013-03.csv", "flights-2013-03.csv"), 1)
        unlucky = home.sample("flights", "flights-2013-04.csv", "flights-2013-04.csv")
        assert _until(claimed, seconds=END_TO_END_SECONDS) < END_TO_END_SECONDS, log.read_text()[-4000:]
        for process in [*psutil.Process(dev.pid).children(recursive=True), psutil.Process(dev.pid)]:
            with suppress(psutil.Error):
                process.kill()
    assert home.version("flight_features") == before[2] + 1
    with dagster(home, log):
        carried(unlucky, 2)
    assert not any(audit_all(home.session).values())
