"""While lakeFS is stalled nobody presses it, and afterwards everything is published."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.conftest import Tried
from tests.crash.scene import Scene, answer

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


def run(scene: Scene, *, stall: bool) -> int:
    """The requests that the workers made."""
    files = [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number)) for number in range(DROPS)]
    scene.run("ingest", "rates", scene.drop("rates.csv", range(1, 5)))
    server, calls = int(json.loads(scene.settings.home.server_file.read_text())["pid"]), scene.folder / "calls"
    calls.mkdir()
    workers = [
        scene.start("ingest", "rides", *files[number::WORKERS], plan={"calls": str(calls / str(number))}) for number in range(WORKERS)
    ]
    if stall:
        while len(list(calls.iterdir())) < WORKERS:  # one that begins in a stall would rather start another server
            time.sleep(0.05)
        os.kill(server, signal.SIGSTOP)
        time.sleep(SECONDS)
        os.kill(server, signal.SIGCONT)
    for worker in workers:
        answer(worker, timeout=600)
    return sum(file.stat().st_size for file in calls.iterdir())


def test_a_stall_is_waited_out(scenes: tuple[Scene, Scene], tried: Tried) -> None:
    stalled, calm = scenes
    undisturbed, disturbed = run(calm, stall=False), run(stalled, stall=True)
    assert undisturbed > DROPS
    assert disturbed <= 2 * undisturbed
    assert {version["drop"] for version in stalled.published()["rides"]} == {version["drop"] for version in calm.published()["rides"]}
    assert len(stalled.published()["rides"]) == DROPS
    assert stalled.left_over() == []
    what = f"lakeFS stands still for {SECONDS:.0f} s before {WORKERS} workers with {DROPS} drops: {disturbed / undisturbed:.2f} times the requests"
    tried("P7 contained", what, 1)
