"""P3, exactly once: whatever dies at whichever step, the next run ends as an undisturbed one would have,
and nobody cleans up.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.conftest import Tried
from tests.support.lakes.scene import Scene, answer, steps_of, stopped

pytestmark = pytest.mark.server

EVERY = int(os.environ.get("LAKEGATE_CRASH_EVERY", "16"))
"""Each n-th boundary in CI, another one each time; 1 by hand."""
GHOSTS = int(os.environ.get("LAKEGATE_GHOSTS", "0"))
"""At least so many attempts that go on too late; 50 by hand."""
FROM = random.SystemRandom().randrange(EVERY)
RECOVERY = 10.0
"""Seconds from a successor's first request to lakeFS to its last step; where the run goes on,
from the death of lakeFS.
"""
WHOLE = 10.0 if EVERY == 1 else 30.0
"""The same from the start of its process to its end, with the start of lakeFS where that died;
some more where other tests run beside.
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A lake of one drop with its server down, the delivery that comes next, what becomes of it undisturbed,
    and by which steps.
    """
    base = Scene.made(tmp_path_factory.mktemp("matrix") / "base")
    base.run("ingest", "rides", base.drop("first.csv", range(1, 101)))
    second = base.drop("second.csv", range(90, 201))
    base.close()
    calm = base.copied(base.folder.parent / "calm")
    timeline = calm.folder / "timeline"
    calm.run("ingest", "rides", calm.folder / second.name, plan={"timeline": str(timeline)})
    yield {
        "base": base,
        "second": second.name,
        "steps": steps_of(timeline),
        "published": calm.published(),
        "aside": calm.aside(),
    }
    calm.close()


def boundaries(lake: dict[str, Any], *, offset: int) -> list[tuple[str, str, int]]:
    """Each n-th step, others for each test."""
    assert len(lake["steps"]) >= 24
    return list(lake["steps"][(FROM + offset) % EVERY :: EVERY])


def check(scene: Scene, lake: dict[str, Any], where: object) -> None:
    assert scene.published() == lake["published"], where
    assert scene.aside() == lake["aside"], where
    assert scene.left_over() == [], where


@pytest.mark.parametrize(("does", "offset"), [("kill", 0), ("kill-both", 3), ("kill-lakefs", 6)])
def test_death_at_any_step_changes_nothing_in_the_end(
    lake: dict[str, Any], tmp_path: Path, does: str, offset: int, tried: Tried
) -> None:
    took, slowest, chosen, runs_on = 0.0, 0.0, boundaries(lake, offset=offset), does == "kill-lakefs"
    for number, (table, step, occurrence) in enumerate(chosen):
        scene, where = lake["base"].copied(tmp_path / f"{does}-{number}"), (does, table, step, occurrence)
        file, timelines = (
            scene.folder / lake["second"],
            [scene.folder / name for name in ("victim", "successor")],
        )
        plan = {
            "table": table,
            "step": step,
            "occurrence": occurrence,
            "does": does,
            "timeline": str(timelines[0]),
        }
        try:
            victim = scene.start("ingest", "rides", file, plan=plan)
            victim.communicate(timeout=120)
            assert victim.returncode == (0 if runs_on else -signal.SIGKILL), where
            began = time.monotonic()
            scene.run(
                "ingest",
                "rides",
                file,
                plan={"timeline": str(timelines[1]), "called": str(scene.folder / "called")},
            )
            assert time.monotonic() - began < WHOLE, where
            check(scene, lake, where)
            if runs_on:
                took = (
                    moments(timelines[0])[-1]
                    - moments(timelines[0])[steps_of(timelines[0]).index((table, step, occurrence))]
                )
            elif timelines[1].exists():
                took = moments(timelines[1])[-1] - float((scene.folder / "called").read_text())
            else:
                assert lake["steps"].index((table, step, occurrence)) >= last_merge(lake), where
            assert took < RECOVERY, where
            slowest, took = max(slowest, took), 0.0
        finally:
            scene.close()
    victims = {
        "kill": "the run is killed",
        "kill-both": "the run and lakeFS are killed",
        "kill-lakefs": "lakeFS is killed, the run goes on",
    }
    tried("P3 exactly once", f"{victims[does]} at a step; recovered in {slowest:.1f} s at most", len(chosen))


def moments(timeline: Path) -> list[float]:
    return [float(line.split()[0]) for line in timeline.read_text().splitlines()]


def last_merge(lake: dict[str, Any]) -> int:
    """The step after which nothing is left to be published."""
    return max(number for number, (_, step, _) in enumerate(lake["steps"]) if step == "merge.done")


def test_ghost_that_goes_on_after_its_successor_publishes_nothing(
    lake: dict[str, Any], tmp_path: Path, tried: Tried
) -> None:
    chosen = boundaries(lake, offset=9)
    chosen += random.SystemRandom().sample(chosen, min(len(chosen), max(0, GHOSTS - len(chosen))))
    for number, (table, step, occurrence) in enumerate(chosen):
        scene, where = lake["base"].copied(tmp_path / f"ghost-{number}"), ("ghost", table, step, occurrence)
        file = scene.folder / lake["second"]
        try:
            ghost = scene.start(
                "ingest",
                "rides",
                file,
                plan={"table": table, "step": step, "occurrence": occurrence, "does": "stop"},
            )
            with stopped(ghost):
                scene.run("ingest", "rides", file)
                before = scene.published()
                assert before == lake["published"], where
            answer(ghost)
            check(scene, lake, where)
        finally:
            scene.close()
    tried(
        "P3 exactly once",
        "an attempt is stopped at a step, and goes on after its successor published",
        len(chosen),
    )


def test_ghost_writes_nothing_into_what_a_later_attempt_left_half_made(
    lake: dict[str, Any], tmp_path: Path, tried: Tried
) -> None:
    """Its own branch was cleaned up while it slept; the next attempt died in the midst of its work,
    and nobody has come since.
    """
    asleep = [
        item
        for item in lake["steps"]
        if item[0] == "rides" and item[1] in ("stage.done", "write.table", "judge", "commit", "merge")
    ]
    asleep = asleep if GHOSTS else random.SystemRandom().sample(asleep, 1)
    for number, (table, step, occurrence) in enumerate(asleep):
        scene, where = lake["base"].copied(tmp_path / f"late-{number}"), ("late ghost", table, step)
        file = scene.folder / lake["second"]
        try:
            ghost = scene.start(
                "ingest",
                "rides",
                file,
                plan={"table": table, "step": step, "occurrence": occurrence, "does": "stop"},
            )
            with stopped(ghost):
                scene.forgotten("attempt-")
                died = scene.start(
                    "ingest",
                    "rides",
                    file,
                    plan={"table": "rides", "step": "commit", "occurrence": 1, "does": "kill"},
                )
                died.communicate(timeout=120)
                assert died.returncode == -signal.SIGKILL, where
            answer(ghost)
            scene.run("ingest", "rides", file)
            check(scene, lake, where)
        finally:
            scene.close()
    tried(
        "P3 exactly once",
        "an attempt is stopped, cleaned up after, and goes on beside the branch of a successor that died",
        len(asleep),
    )
