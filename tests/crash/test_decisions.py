"""P3, exactly once, of what people decide: killed at any step and asked again,
it ends as an undisturbed one.
"""

from __future__ import annotations

import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rides import contract_text, write_contracts
from lake.tables.quarantine import IDENTITY, STATE, read_rows
from lake.versions.publish import latest_at, manifest_at
from lakegate.names import VersionName
from tests.crash.conftest import Tried
from tests.support.lakes.rides_reprocessed import DROPS, project
from tests.support.lakes.scene import Scene, steps_of

pytestmark = pytest.mark.server

EVERY = int(os.environ.get("LAKEGATE_CRASH_EVERY", "16"))
"""Each n-th step of one decision in CI, others each time; each of all by hand."""
FROM = random.SystemRandom().randrange(EVERY)
REASON = ("--reason", "a test")
DECISIONS = {
    "reprocess": ("reprocess", "rides"),
    "replay": ("replay", "rides", "--rule", "fare-plausible"),
    "rollback": ("rollback", "rides", "--to", "v1", *REASON),
    "discard": ("discard", "rides", "--rule", "fare-plausible", *REASON),
}
MADE = list(DECISIONS) if EVERY == 1 else random.SystemRandom().sample(list(DECISIONS), 1)


@dataclass(frozen=True)
class Decision:
    """What a person decides, on a lake of two drops; what it came to undisturbed, and by which steps."""

    command: tuple[str, ...]
    base: Scene
    steps: list[tuple[str, str, int]]
    came_to: dict[str, Any]


def came_to(scene: Scene) -> dict[str, Any]:
    """All that two lakes agree on, where the same was decided once."""
    session = scene.open()
    published = scene.published()
    manifests = [
        manifest_at(session.repository, "main", VersionName.parse(item["name"]))
        for item in published["rides"]
    ]
    latest = latest_at(session.repository, "main", "rides")
    assert latest is not None
    rows = {
        what: sorted(map(str, read_rows(session, latest, files, columns).to_pylist()))
        for what, files, columns in (
            ("table", latest.files, [*IDENTITY, "ride", "fare"]),
            ("quarantine", latest.quarantine, [*IDENTITY, "_record"]),
            ("settled", latest.resolved, [*IDENTITY, STATE]),
        )
    }
    drops = [
        {key: made.source.get(key) for key in ("withdrawn", "reinstated", "rows", "drops")}
        for made in manifests
    ]
    return {
        "published": published,
        "aside": scene.aside(),
        "balance": [made.balance for made in manifests],
        "drops": drops,
        **rows,
    }


@pytest.fixture(scope="module")
def decisions(tmp_path_factory: pytest.TempPathFactory) -> list[Decision]:
    folder = tmp_path_factory.mktemp("decisions")
    base = Scene.made(folder / "base", replaced=())
    project(base.folder / "project", mode="append", most=20)
    for name, reads in (("fares", "rides"), ("fares_again", "fares")):
        feature = contract_text(name, kind="feature", sql=f"{name}.sql", inputs=f"[{reads}]", driver=reads)
        write_contracts(base.folder / "project", {name: feature})
        (sql := base.folder / f"project/catalog/sql/{name}.sql").parent.mkdir(exist_ok=True)
        sql.write_text(f"SELECT ride, fare, _drop, _row FROM {reads}")
    for name in ("a.csv", "b.csv"):
        (base.folder / name).write_text("\n".join(["ride,fare,at", *DROPS[name]]) + "\n")
    base.run("ingest", "rides", base.folder / "a.csv", base.folder / "b.csv")
    base.close()
    made = []
    for name in MADE:
        began, calm = base.copied(folder / name), base.copied(folder / f"calm-{name}")
        for scene in (began, calm):
            project(
                scene.folder / "project", mode="append", most=200 if name in ("reprocess", "replay") else 20
            )
        try:
            calm.run(*DECISIONS[name], plan={"timeline": str(timeline := calm.folder / "timeline")})
            made.append(Decision(DECISIONS[name], began, steps_of(timeline), came_to(calm)))
        finally:
            calm.close()
    return made


def test_decision_whose_process_is_killed_at_any_step_is_made_once(
    decisions: list[Decision], tmp_path: Path, tried: Tried
) -> None:
    chosen = [(decision, at) for decision in decisions for at in decision.steps[FROM::EVERY]]
    assert len(chosen) >= 2 * len(MADE)
    for number, (decision, (table, step, occurrence)) in enumerate(chosen):
        scene, where = (
            decision.base.copied(tmp_path / str(number)),
            (*decision.command, table, step, occurrence),
        )
        try:
            victim = scene.start(
                *decision.command,
                plan={"table": table, "step": step, "occurrence": occurrence, "does": "kill"},
            )
            victim.communicate(timeout=120)
            assert victim.returncode == -signal.SIGKILL, where
            scene.run(*decision.command)
            assert came_to(scene) == decision.came_to, where
            assert scene.left_over() == [], where
        finally:
            scene.close()
    tried(
        "P3 exactly once",
        "a reprocess, replay, rollback or discard is killed at a step, and asked for again",
        len(chosen),
    )
