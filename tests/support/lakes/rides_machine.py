"""A lake on one side, a dictionary of rides and fares for each version on the other,
and the events of both.
"""

from __future__ import annotations

import contextlib
import random
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from expectations.verdict import Verdict
from lake.decisions.rollback import roll_back
from lake.lakefs.repository import MAIN
from lake.maintenance.reconcile import reconcile
from lake.maintenance.verify import audit
from lake.pipeline.ingest import DropResult, ingest
from lake.server.process import processes
from lake.session import Session, open_session
from lake.versions.publish import publication
from lakegate.manifest import sha256
from lakegate.names import VersionName
from tests.support.lakes.scene import Scene
from tests.support.lakes.versions_seen import Standing, Version, contents, history

MOST_STEPS = 40
"""Steps that a hop's watcher hears of, about; a death at a later one doesn't happen."""
DEATHS = ("the attempt", "lakeFS", "the process")
STEPS = ("receive.merge", "stage.done", "write.table", "judge", "commit", "merge", "merge.done", "tag.done")
"""Where a process is killed."""
DEATH = st.none() | st.tuples(st.sampled_from(DEATHS), st.integers(1, MOST_STEPS))
RIDES = st.lists(st.integers(1, 25), min_size=1, max_size=6, unique=True)


class Killed(BaseException):
    """An attempt ends without a word, in a process that goes on: what it does on the way out is done."""


class Lake(RuleBasedStateMachine):
    """The service on one side; on the other a dictionary of rides and fares for each version."""

    scene: Scene
    tenants: Iterator[int]

    @initialize()
    def begin(self) -> None:
        self.number, self.left, self.dies, self.drops = 0, 0, "", set[str]()
        self.session: Session = open_session(
            replace(self.scene.settings, tenant=f"t{next(self.tenants)}"),
            say=lambda _: None,
            watcher=self.watch,
        )
        self.versions: dict[str, list[Version]] = {"rides": [], "rates": [], "fares": []}

    def watch(self, _: str, __: str) -> None:
        self.left -= 1
        if self.left == 0 and self.dies == "lakeFS":
            for server in processes(self.scene.settings.home):
                server.kill()
        elif self.left == 0:
            raise Killed

    def file(self, name: str, rides: list[int], *, late: bool = False) -> Path:
        self.number += 1
        path = self.scene.folder / self.session.settings.tenant / name
        path.parent.mkdir(exist_ok=True)
        fares = "".join(f"{ride},{fare:.2f}\n" for ride, fare in self.fares(rides, late=late).items())
        path.write_text(f"ride,fare\n{fares}{100 + self.number},free\n")
        return path

    def deliver(self, table: str, path: Path, **how: Any) -> DropResult:
        (result,) = ingest(self.session, table, [path], **how)
        return result

    def saw(self, table: str, rows: dict[int, float], standing: dict[str, Standing]) -> None:
        """A version was published with these rows."""
        versions = self.versions[table]
        name = VersionName(table, len(versions) + 1)
        commit, metadata = self.session.repository.commit_and_metadata(name.tag)
        assert contents(self.session, name) == rows
        versions.append(Version(commit, metadata["lakegate_manifest_sha256"], rows, standing))

    def now(self, table: str) -> Version:
        return self.versions[table][-1] if self.versions[table] else Version("", "", {})

    def standing(self, path: Path, rows: dict[int, float]) -> Standing:
        drop = sha256(path.read_bytes())
        self.drops.add(drop)
        return Standing(drop, tuple(rows))

    def fares(self, rides: list[int], *, late: bool = False) -> dict[int, float]:
        """Greater ones with each file; of one that comes late smaller ones."""
        return {ride: round((-self.number if late else self.number) + ride / 100, 2) for ride in rides}

    def dying(self, table: str, path: Path, death: tuple[str, int]) -> None:
        """Deliver, and something dies of it."""
        self.dies, number = death
        if self.dies == "the process":
            scene = replace(self.scene, environ={"LAKEGATE_TENANT": self.session.settings.tenant})
            plan = {"table": table, "step": STEPS[number % len(STEPS)], "occurrence": 1, "does": "kill"}
            killed = scene.start("ingest", table, path, plan=plan)
            _, err = killed.communicate(timeout=120)
            assert killed.returncode in (0, -signal.SIGKILL), err
            return
        self.left = number
        with contextlib.suppress(Killed):
            self.deliver(table, path)
        self.left = 0

    @rule(rides=RIDES, death=DEATH)
    def appended(self, rides: list[int], death: tuple[str, int] | None) -> None:
        before, path = self.now("rides"), self.file(f"{self.number}.csv", rides)
        if death is not None:
            self.dying("rides", path, death)
        result = self.deliver("rides", path)
        fresh = {ride: fare for ride, fare in self.fares(rides).items() if ride not in before.rows}
        assert result.hops[-1].version == f"rides@v{len(self.versions['rides']) + 1}"
        assert result.hops[-1].counts["valid"] == len(fresh)
        self.saw("rides", before.rows | fresh, before.standing | {path.name: self.standing(path, fresh)})

    @precondition(lambda self: self.versions["rides"])
    @rule()
    def delivered_again(self) -> None:
        folder, standing = self.scene.folder / self.session.settings.tenant, self.now("rides").standing
        same = [
            folder / name
            for name, item in standing.items()
            if sha256((folder / name).read_bytes()) == item.drop
        ]
        if same:
            result = self.deliver("rides", same[-1])
            assert {str(hop.verdict) for hop in result.hops} == {"unchanged"}

    @precondition(lambda self: self.now("rides").standing)
    @rule(rides=RIDES, data=st.data())
    def corrected(self, rides: list[int], data: st.DataObject) -> None:
        before = self.now("rides")
        name = data.draw(st.sampled_from(sorted(before.standing)))
        path = self.file(name, rides)
        result = self.deliver("rides", path, supersede=True)
        rows = {ride: fare for ride, fare in before.rows.items() if ride not in before.standing[name].rides}
        fresh = {ride: fare for ride, fare in self.fares(rides).items() if ride not in rows}
        assert result.hops[-1].counts["valid"] == len(fresh)
        self.saw("rides", rows | fresh, before.standing | {name: self.standing(path, fresh)})

    @rule(rides=RIDES, death=DEATH, late=st.booleans())
    def upserted(self, rides: list[int], death: tuple[str, int] | None, late: bool) -> None:
        path = self.file(f"fares-{self.number}.csv", rides, late=late)
        if death is not None:
            self.dying("fares", path, death)
        self.deliver("fares", path)
        rows = dict(self.now("fares").rows)
        for ride, fare in self.fares(rides, late=late).items():
            rows[ride] = max(fare, rows.get(ride, fare))
        self.saw("fares", rows, {})

    @rule(rides=RIDES, death=DEATH)
    def replaced(self, rides: list[int], death: tuple[str, int] | None) -> None:
        path = self.file(f"rates-{self.number}.csv", rides)
        if death is not None:
            self.dying("rates", path, death)
        self.deliver("rates", path)
        self.saw("rates", self.fares(rides), {})

    @precondition(lambda self: any(len(versions) > 1 for versions in self.versions.values()))
    @rule(data=st.data())
    def taken_back(self, data: st.DataObject) -> None:
        table = data.draw(
            st.sampled_from([name for name, versions in self.versions.items() if len(versions) > 1])
        )
        number = data.draw(st.integers(1, len(self.versions[table]) - 1))
        done, then = (
            roll_back(self.session, VersionName(table, number), reason="a test"),
            self.versions[table][number - 1],
        )
        if done.hop.verdict is Verdict.UNCHANGED:  # the latest version is the same decision
            assert self.now(table).rows == then.rows
            return
        self.saw(table, then.rows, then.standing)

    @rule()
    def reconciled(self) -> None:
        left = [item for item in reconcile(self.session) if item.outcome == "left"]
        assert left == []

    @invariant()
    def versions_never_change(self) -> None:
        for table, versions in getattr(self, "versions", {}).items():
            for number, version in enumerate(versions, 1):
                name = VersionName(table, number)
                commit, metadata = self.session.repository.commit_and_metadata(name.tag)
                assert (commit, metadata["lakegate_manifest_sha256"]) == (version.commit, version.manifest), (
                    name
                )
        table = random.choice([name for name, versions in self.versions.items() if versions] or [""])
        if table:
            number = random.randint(1, len(self.versions[table]))
            assert contents(self.session, VersionName(table, number)) == self.versions[table][number - 1].rows
            assert audit(self.session, VersionName(table, number)) == []

    @invariant()
    def main_holds_published_versions_alone(self) -> None:
        repository = self.session.repository
        assert repository.uncommitted(MAIN) == []
        for table, versions in self.versions.items():
            head = repository.get_json(MAIN, f"_lakegate/heads/{table}.json")
            assert (head or {}).get("version", 0) == len(versions)
        merged = [name for told in history(self.session) if (name := told.get("lakegate_version"))]
        own = [
            str(VersionName(table, number))
            for table, versions in self.versions.items()
            for number in range(1, len(versions) + 1)
        ]
        assert sorted(name for name in merged if "_raw@" not in name) == sorted(own)
        assert len(merged) == len(set(merged))

    @invariant()
    def a_drop_stands_or_may_come_again(self) -> None:
        standing = {item.drop for item in self.now("rides").standing.values()}
        for drop in self.drops:
            found = publication(self.session.repository, dataset="rides", cause=drop, table="rides")
            assert (found is not None) == (drop in standing), drop
