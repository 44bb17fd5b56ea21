"""A backfill that is killed near its end goes on where it was,
and one that goes on for long holds nobody up.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from lake.versions.publish import head
from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene, steps_of

pytestmark = pytest.mark.server

DROPS = 24
LONG = int(os.environ.get("LAKEGATE_BACKFILL_DROPS", "40"))
"""200 by hand."""
KILLED_AT = 23
"""Of them: 95 %."""


def test_killed_at_95_percent_it_does_no_finished_hop_again(scene: Scene, tried: Tried) -> None:
    files = [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number)) for number in range(DROPS)]
    step = random.SystemRandom().choice(
        ["parse", "stage", "write.table", "commit.done", "merge.done", "keep"]
    )
    victim = scene.start(
        "ingest",
        "rides",
        *files,
        plan={"table": "rides", "step": step, "occurrence": KILLED_AT, "does": "kill"},
    )
    victim.communicate(timeout=240)
    assert victim.returncode == -signal.SIGKILL, step
    assert len(scene.published()["rides_raw"]) == DROPS, step
    standing = head(scene.open().repository, "rides")
    finished = (
        standing["version"] if standing else 0
    )  # what is merged is published, whether it has its tag by now or not
    timeline = scene.folder / "timeline"
    scene.run("ingest", "rides", *files, plan={"timeline": str(timeline)})
    begun = Counter(table for table, name, _ in steps_of(timeline) if name == "evaluate.done")
    after = scene.published()
    assert len(after["rides"]) == DROPS, step
    assert begun["rides_raw"] == 0, step
    assert begun["rides"] == DROPS - finished, step
    assert begun["rides"] <= DROPS - KILLED_AT + 1, step
    assert scene.left_over() == []
    tried(
        "P3 exactly once", f"a backfill of {DROPS} drops is killed at 95 %: no finished hop is done again", 1
    )


def test_backfill_delays_todays_drop_by_one_publish_at_most(scene: Scene, tried: Tried) -> None:
    """Two backfills at once; today's drop comes in the middle of them."""
    files = [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number)) for number in range(LONG)]
    timelines = [scene.folder / f"timeline-{half}" for half in range(2)]
    backfills = [
        scene.start("ingest", "rides", *files[half::2], "--backfill", plan={"timeline": str(timeline)})
        for half, timeline in enumerate(timelines)
    ]
    wait_for(timelines, "keep.done", 3)
    today, timeline = scene.drop("today.csv", range(9000, 9010)), scene.folder / "timeline-today"
    scene.run("ingest", "rides", today, plan={"timeline": str(timeline)})
    assert all(backfill.poll() is None for backfill in backfills), (
        "the backfills were done before today's drop came: give them more"
    )
    for backfill in backfills:
        os.killpg(backfill.pid, signal.SIGKILL)
        backfill.communicate()
    (asked,), (staged,) = moments(timeline, "queue"), moments(timeline, "stage")
    others = sorted(moment for other in timelines for moment in moments(other, "stage"))
    assert sum(asked < moment < staged for moment in others) <= 1
    scene.run("ingest", "rides", files[0], timeout=900)  # it takes up whatever the dead left
    assert len(scene.published()["rides"]) == LONG + 1
    assert scene.left_over() == []
    tried(
        "P7 contained",
        f"today's drop comes into a backfill of {LONG} drops by two processes: "
        f"it waits for one publish at most",
        1,
    )


def moments(timeline: Path, step: str) -> list[float]:
    """When the processed hop reached a step."""
    lines = [line.split() for line in timeline.read_text().splitlines()] if timeline.exists() else []
    return [float(moment) for moment, table, name in lines if (table, name) == ("rides", step)]


def wait_for(timelines: list[Path], step: str, count: int) -> None:
    end = time.monotonic() + 120
    while sum(len(moments(timeline, step)) for timeline in timelines) < count:
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.05)
