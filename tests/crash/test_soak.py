"""Drops keep coming while the run or lakeFS is killed at random: nothing is lost, nothing doubled, and nobody cleans up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.server_process import processes
from tests.crash.conftest import Tried
from tests.crash.scene import Scene

pytestmark = pytest.mark.server

KILLS = int(os.environ.get("LAKEGATE_SOAK_KILLS", "6"))
"""300 by hand."""
SEED = int(os.environ.get("LAKEGATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
RIDES = 20
"""Rides of a drop; the last one is broken."""
LONG = 3600
"""Seconds: 300 deaths leave a thousand drops behind them."""


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[tuple[Scene, Scene]]:
    """Two lakes whose drops have an order, so that versions are the same whoever carries which drop when."""
    made = Scene.made(tmp_path / "killed", ordered=True), Scene.made(tmp_path / "calm", ordered=True)
    yield made
    for scene in made:
        scene.close()


def test_random_deaths_change_nothing_in_the_end(scenes: tuple[Scene, Scene], tried: Tried) -> None:
    killed, calm = scenes
    chance, deaths, number, files = random.Random(SEED), 0, 0, list[Path]()
    while deaths < KILLS:
        files += [killed.drop(f"{number + more}.csv", rides(number + more)) for more in range(chance.randint(1, 3))]
        number = max(number, *(int(file.stem) + 1 for file in files))
        process = killed.start("ingest", "rides", *files)  # what a dead run was given is given to the next one
        try:
            process.wait(chance.uniform(0.5, 6.0))
        except subprocess.TimeoutExpired:
            deaths += 1
            strike(killed, process, chance)
        process.communicate(timeout=120)
        if process.returncode == 0:
            files = []
    last = killed.drop("last.csv", rides(number))
    killed.run("ingest", "rides", *files, last, timeout=LONG)
    others = [calm.drop(f"{other}.csv", rides(other)) for other in range(number)]
    calm.run("ingest", "rides", *others, calm.drop("last.csv", rides(number)), timeout=LONG)
    where = f"seed {SEED}, {deaths} deaths, {number + 1} drops"
    assert killed.published() == calm.published(), where
    assert killed.aside() == calm.aside(), where
    assert killed.left_over() == [], where
    assert killed.published()["rides"][-1]["rows_total"] == (number + 1) * (RIDES - 1), where
    tried("P3 exactly once", f"the run, lakeFS or both are killed at a random moment, while {number + 1:,} drops arrive", deaths)


def rides(number: int) -> range:
    return range(1 + RIDES * number, 1 + RIDES * (number + 1))


def strike(scene: Scene, process: subprocess.Popen[str], chance: random.Random) -> None:
    """Kill the run, or lakeFS, or both."""
    victim = chance.choice(("run", "lakefs", "both"))
    if victim in ("lakefs", "both"):
        for server in processes(scene.settings.home):  # by what it is: the number of a dead one may be somebody else's by now
            server.kill()
    if victim in ("run", "both"):
        os.killpg(process.pid, signal.SIGKILL)
