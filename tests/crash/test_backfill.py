"""A backfill that is killed near its end goes on where it was: what is finished is not done again."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.scene import Scene, steps_of

pytestmark = pytest.mark.server

DROPS = 24
KILLED_AT = 23
"""Of them: 95 %."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene.made(tmp_path / "scene")
    yield made
    made.close()


def test_killed_at_95_percent_it_does_no_finished_hop_again(scene: Scene) -> None:
    files = [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number)) for number in range(DROPS)]
    step = random.SystemRandom().choice(["evaluate", "stage", "write.table", "commit.done", "merge.done", "keep"])
    victim = scene.start("ingest", "rides", *files, plan={"table": "rides", "step": step, "occurrence": KILLED_AT, "does": "kill"})
    victim.communicate(timeout=240)
    assert victim.returncode == -signal.SIGKILL, step
    before = scene.published()
    assert len(before["rides_raw"]) == DROPS, step
    timeline = scene.folder / "timeline"
    scene.run("ingest", "rides", *files, plan={"timeline": str(timeline)})
    begun = Counter(table for table, name, _ in steps_of(timeline) if name == "evaluate.done")
    after = scene.published()
    assert len(after["rides"]) == DROPS, step
    assert begun["rides_raw"] == 0, step
    assert begun["rides"] == DROPS - len(before["rides"]), step
    assert begun["rides"] <= DROPS - KILLED_AT + 1, step
    assert scene.left_over() == []
