"""Drops keep coming while the run or lakeFS is killed at random: nothing is lost, nothing doubled,
and nobody cleans up.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.hops.receive import receive
from lake.server.process import processes
from tests.crash.conftest import Tried
from tests.support.commands.started import Started
from tests.support.lakes.scene import Scene

pytestmark = pytest.mark.server

KILLS = int(os.environ.get("LAKEGATE_SOAK_KILLS", "4"))
"""300 by hand."""
SEED = int(os.environ.get("LAKEGATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
RIDES = 20
"""Rides of a drop; the last one is broken."""
MEANWHILE = 0.5
"""Share of the runs during which another drop arrives."""
LONG = 3600
"""Seconds."""


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[tuple[Scene, Scene]]:
    """Two lakes whose drops have an order, so that versions are the same whoever carries which drop when."""
    made = Scene.made(tmp_path / "killed", ordered=True), Scene.made(tmp_path / "calm", ordered=True)
    yield made
    for scene in made:
        scene.close()


def test_random_deaths_change_nothing_in_the_end(scenes: tuple[Scene, Scene], tried: Tried) -> None:
    killed, calm = scenes
    chance, deaths, number, files, sender = random.Random(SEED), 0, 0, list[Path](), killed.open()
    while deaths < KILLS:
        files += [arrival(killed, number)]
        given, number, at_work = [*files], number + 1, killed.folder / f"timeline-{number}"
        process = killed.start(
            "ingest", "rides", *given, plan={"timeline": str(at_work)}
        )  # what a dead run was given, and what came since
        died = ""
        while process.poll() is None and not at_work.exists():
            time.sleep(0.02)
        if process.poll() is None and chance.random() < MEANWHILE:
            files += [arrival(killed, number)]
            number += 1
            receive(sender, "rides", files[-1])
        try:
            process.wait(chance.uniform(0.0, 4.0))
        except subprocess.TimeoutExpired:
            died = strike(killed, process, chance)
            deaths += bool(died)
        _, err = process.communicate(timeout=120)
        if process.returncode == 0:
            files = files[len(given) :]
        elif "run" not in died:
            assert process.returncode == 1, (died, err)
            assert "error:" in err, (died, err)
            assert "unexpected" not in err, (died, err)
    last = arrival(killed, number)
    killed.run("ingest", "rides", *files, last, timeout=LONG)
    calm.run("ingest", "rides", *(arrival(calm, other) for other in range(number + 1)), timeout=LONG)
    where = f"seed {SEED}, {deaths} deaths, {number + 1} drops"
    assert killed.differences(calm) == [], where
    assert killed.aside() == calm.aside(), where
    assert killed.left_over() == [], where
    assert killed.published()["rides"][-1]["rows_total"] == (number + 1) * (RIDES - 1), where
    tried(
        "P3 exactly once",
        f"the run, lakeFS or both are killed at a random moment of their work, "
        f"while {number + 1:,} drops arrive",
        deaths,
    )


def arrival(scene: Scene, number: int) -> Path:
    return scene.drop(f"{number}.csv", range(1 + RIDES * number, 1 + RIDES * (number + 1)))


def strike(scene: Scene, process: Started, chance: random.Random) -> str:
    """Kill the run, or lakeFS, or both; what died of it."""
    victim, died = chance.choice(("run", "lakefs", "run and lakefs")), []
    if "lakefs" in victim:
        for server in processes(
            scene.settings.home
        ):  # by what it is: the number of a dead one may be somebody else's by now
            server.kill()
            died.append("lakefs")
    if "run" in victim and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        died.append("run")
    return " ".join(died)
