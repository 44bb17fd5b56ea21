"""A table with a past, and what has to stay of it."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from expectations.verdict import Verdict
from lake.decisions.discard import discard
from lake.decisions.rollback import roll_back
from lake.lakefs.branches import CANDIDATE, branch_of, new_attempt
from lake.maintenance.pins import pin_version
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_quarantine
from lake.session import Session
from lake.versions.publish import manifest_at
from lakegate.manifest import Manifest
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.support.lakes.scene import Scene

SEED = int(os.environ.get("LAKEGATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
UPSERTED = "  - {property: upsert, value: {orderBy: at}}\n"

LATER = timedelta(days=3)


def made(mode: str, folder: Path, settings: Settings, tenant: str) -> Scene:
    scene = Scene.made(folder, replaced=(), home=settings.home.root, tenant=tenant)
    path = scene.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    text = path.read_text().replace("value: append", f"value: {mode}")
    text = text.replace(
        "      - {name: fare,",
        "      - {name: at, logicalType: integer, required: true}\n      - {name: fare,",
    )
    text += "  - {property: retention, value: {versions: 2}}\n" + UPSERTED * (mode == "upsert")
    path.write_text(text + "  - {property: maxShrink, value: none}\n" * (mode == "replace"))
    return scene


def deliver(session: Session, scene: Scene, number: int, chance: random.Random) -> None:
    """Some rows, of which one is broken, one passes, and others may have the same key."""
    rides = [f"{chance.randint(1, 30)},{number},{ride}.5" for ride in range(chance.randint(1, 12))] + [
        f"{100 + number},{number},0.5"
    ]
    path = scene.folder / f"{number}.csv"
    path.write_text("\n".join(["ride,at,fare", *dict.fromkeys(rides), f"99,{number},free"]) + "\n")
    ingest(session, "rides", [path])


def blocks(session: Session) -> set[str]:
    root = session.settings.home.blocks
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def aged(session: Session) -> None:
    old = time.time() - timedelta(days=2).total_seconds()
    for path in blocks(session):
        os.utime(session.settings.home.blocks / path, (old, old))


@dataclass
class Past:
    """What was done to a table, and the versions that have to stay for it beside what their contract
    keeps.
    """

    session: Session
    scene: Scene
    chance: random.Random
    versions: int = 0
    wanted: set[int] = field(default_factory=set)

    def did(self, what: str, number: int) -> None:
        """Do one more thing."""
        table, some = "rides", 1 + number % max(1, self.versions)
        if what == "deliver" or not self.versions:
            deliver(self.session, self.scene, self.versions, self.chance)
            self.versions += 1
        elif what == "roll back" and some < self.versions:
            done = roll_back(self.session, VersionName(table, some), reason="a test")
            self.versions += done.hop.verdict is not Verdict.UNCHANGED  # to the same version twice
        elif what in ("keep", "use"):
            why: dict[str, Any] = (
                {"used_by": "delays-7"}
                if what == "use"
                else {"until": (datetime.now(UTC) + 2 * LATER).date()}
            )
            pin_version(self.session, VersionName(table, some), reason="a test", **why)
            self.wanted.add(some)
        elif what == "abandon":
            branch = branch_of(CANDIDATE, new_attempt(), table, "0123456789ab")
            self.session.repository.branch(branch, "main")
            self.session.repository.put(branch, f"processed/{table}/part.parquet", b"PAR1")
        elif what == "discard":
            contract = self.session.catalog.get(table)
            for row in list_quarantine(self.session, contract)[:1]:
                discard(self.session, contract, reason="a test", drop=row["drop"])
                self.versions += 1

    def manifests(self) -> dict[int, Manifest]:
        """Of all versions."""
        names = (VersionName("rides", number) for number in range(1, self.versions + 1))
        return {name.number: manifest_at(self.session.repository, "main", name) for name in names}
