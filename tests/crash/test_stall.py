"""While lakeFS is stalled nobody presses it, and afterwards everything is published."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lake.lakefs.client import CALL_SECONDS
from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene

pytestmark = pytest.mark.server

SECONDS = float(os.environ.get("LAKEGATE_STALL_SECONDS", "8"))
"""60 by hand."""
WORKERS = int(os.environ.get("LAKEGATE_STALL_WORKERS", "2"))
"""8 by hand."""
DROPS = int(os.environ.get("LAKEGATE_STALL_DROPS", "6"))
"""100 by hand."""


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[tuple[Scene, Scene]]:
    made = Scene.made(tmp_path / "stalled"), Scene.made(tmp_path / "calm")
    yield made
    for scene in made:
        scene.close()


def run(scene: Scene, *, stall: bool, patience: float) -> tuple[int, int]:
    """The requests that the workers made, and those that weren't answered; `patience`:
    seconds for which each waits for its answer.
    """
    files = [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number)) for number in range(DROPS)]
    scene.run("ingest", "rates", scene.drop("rates.csv", range(1, 5)))
    server, calls = (
        int(json.loads(scene.settings.home.server_file.read_text())["pid"]),
        scene.folder / "calls",
    )
    calls.mkdir()
    workers = [
        scene.start(
            "ingest",
            "rides",
            *files[number::WORKERS],
            plan={"calls": str(calls / str(number)), "patience": patience},
        )
        for number in range(WORKERS)
    ]
    if stall:
        while (
            len(list(calls.iterdir())) < WORKERS
        ):  # one that begins in a stall would rather start another server
            time.sleep(0.05)
        os.kill(server, signal.SIGSTOP)
        time.sleep(SECONDS)
        with suppress(ProcessLookupError):  # somebody took it for hung, and started another
            os.kill(server, signal.SIGCONT)
    for number, worker in enumerate(workers):
        _, err = worker.communicate(timeout=600)
        if (
            stall and worker.returncode == 1
        ):  # it gave up in time: what it was given waits, and is given again
            assert "error:" in err, err
            assert "unexpected" not in err, err
            scene.run(
                "ingest",
                "rides",
                *files[number::WORKERS],
                plan={"calls": str(calls / f"again-{number}")},
                timeout=600,
            )
        else:
            assert worker.returncode == 0, err
    made = "".join(file.read_text() for file in calls.iterdir())
    return made.count("."), made.count("x")


@pytest.mark.parametrize("patience", [2, *[CALL_SECONDS][: SECONDS >= CALL_SECONDS]])
def test_stall_is_waited_out(scenes: tuple[Scene, Scene], patience: float, tried: Tried) -> None:
    """With requests that are given up and tried again while it lasts;
    a stall that is long enough also with such as wait as long as they do.
    """
    stalled, calm = scenes
    (undisturbed, _), (disturbed, unanswered) = (
        run(calm, stall=False, patience=patience),
        run(stalled, stall=True, patience=patience),
    )
    assert undisturbed > DROPS
    assert disturbed <= 2 * undisturbed
    assert unanswered or patience >= SECONDS
    assert {version["drop"] for version in stalled.published()["rides"]} == {
        version["drop"] for version in calm.published()["rides"]
    }
    assert len(stalled.published()["rides"]) == DROPS
    assert stalled.left_over() == []
    stall = (
        f"lakeFS stands still for {SECONDS:.0f} s before {WORKERS} workers with {DROPS} drops, whose "
        f"requests wait for {patience} s"
    )
    what = f"{stall}: {disturbed / undisturbed:.2f} times the requests"
    tried("P7 contained", what, 1)
