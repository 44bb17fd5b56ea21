"""A clean-up frees exactly what no living version needs; whatever lives is whole, and what is on its way survives."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lake.tables.writer
from catalog.contract import Contract, Relationship
from catalog.retention import Retention
from expectations.verdict import Verdict
from lake.decisions import rollback
from lake.decisions.discard import discard
from lake.decisions.rollback import roll_back
from lake.lakefs.branches import CANDIDATE, branch_of, new_attempt
from lake.maintenance.pins import pin_version, unpin_version
from lake.maintenance.retention import clean_up
from lake.maintenance.retention_policy import versions_to_keep
from lake.maintenance.verify import audit, audit_all
from lake.pipeline.ingest import ingest
from lake.reports.versions import list_quarantine, list_versions
from lake.session import Session
from lake.versions.publish import manifest_at
from lakegate import open_snapshot
from lakegate.errors import Expired, UsageError
from lakegate.manifest import Manifest, Parent
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.crash.conftest import Tried
from tests.support.scene import Scene
from tests.unit.lakegate.test_manifest import MANIFEST

pytestmark = pytest.mark.server

SEED = int(os.environ.get("LAKEGATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
UPSERTED = "  - {property: upsert, value: {orderBy: at}}\n"


CLEANUPS = int(os.environ.get("LAKEGATE_CLEANUP_RUNS", "2"))
"""Histories of each kind of table that are cleaned up after; 30 by hand."""
HISTORY = st.lists(
    st.tuples(
        st.sampled_from(["deliver", "deliver", "roll back", "keep", "use", "discard", "abandon"]),
        st.integers(0, 5),
    ),
    min_size=4,
    max_size=9,
)
LATER = timedelta(days=3)
PHASES = set(hypothesis.Phase) - {hypothesis.Phase.explain}


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
    """What was done to a table, and the versions that have to stay for it beside what their contract keeps."""

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


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_exactly_what_no_living_version_needs_goes(
    mode: str, tmp_path: Path, lakefs_home: Settings, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    """After any history: the files that no living manifest names, and blocks that nothing names, once they are old."""
    monkeypatch.setattr(lake.tables.writer, "CHECKPOINT_EVERY", "2")
    runs: list[int] = []

    @given(history=HISTORY, seed=st.integers(0, 10**6))
    @hypothesis.settings(max_examples=CLEANUPS, phases=PHASES)
    def cleaned(history: list[tuple[str, int]], seed: int) -> None:
        runs.append(seed)
        scene = made(mode, tmp_path / f"{len(runs)}", lakefs_home, f"ends_{mode}{len(runs)}")
        past = Past(scene.open(), scene, random.Random(seed))
        for what, number in [*history, ("deliver", 5)]:
            past.did(what, number)
        clean(past)

    cleaned()
    tried(
        "P4 named for good",
        "a random history is cleaned up after: what no living version needs goes, exactly that",
        len(runs),
    )


def clean(past: Past) -> None:
    session, manifests = past.session, past.manifests()
    named = {number: {item.physical for item in manifest.all_files} for number, manifest in manifests.items()}
    kept = {*past.wanted, past.versions, past.versions - 1} & set(manifests)
    todo = list(kept)
    while todo:
        parents = {
            parent.version for parent in manifests[todo.pop()].parents if parent.table == "rides"
        } - kept
        kept |= parents
        todo += parents
    root, repository = session.settings.home.blocks, session.repository
    under_way, dead = (root / session.settings.repository / "data" / name for name in ("under-way", "dead"))
    hints = {number: hints_at(session, f"rides.v{number}") for number in kept}
    dead.write_bytes(b"PAR1")
    aged(session)
    under_way.write_bytes(b"PAR1")
    before = blocks(session)

    now = datetime.now(UTC)
    told = clean_up(session, dry_run=True, now=now + LATER)
    assert blocks(session) == before
    done = clean_up(session, now=now + LATER)
    assert told == done
    gone = before - blocks(session)
    assert sorted(done.expired) == sorted(f"rides@v{number}" for number in set(manifests) - kept)
    everything, alive = set().union(*named.values()), set().union(*(named[number] for number in kept))
    assert gone & everything == everything - alive
    assert under_way.exists()
    assert not dead.exists()
    there = blocks(session)
    refs = ["main", "ledger", *repository.branches("attempt-")]
    for item in (
        item
        for ref in refs
        for item in (repository.listing(ref, "") if ref in refs[:2] else repository.changed(ref))
    ):
        physical = repository.physical(item.physical_address)
        assert physical in there or physical in everything - alive, item.path
    assert {number: hints_at(session, f"rides.v{number}") for number in kept} == hints
    assert not any(audit_all(session).values())
    for number in kept:
        found = open_snapshot(
            f"rides@v{number}", home=session.settings.home.root, tenant=session.settings.tenant
        )
        assert found.arrow().num_rows == manifests[number].counts.after
    for number in set(manifests) - kept:
        with pytest.raises(Expired, match="its contract keeps it no longer: its retention is the newest 2"):
            open_snapshot(f"rides@v{number}", home=session.settings.home.root, tenant=session.settings.tenant)
    assert clean_up(session, now=now + LATER).expired == []
    past.did("deliver", 5)
    assert not any(audit_all(session).values())


def hints_at(session: Session, tag: str) -> dict[str, bytes | None]:
    """Which checkpoint a Delta reader begins with."""
    paths = [
        f"{table}/rides/_delta_log/_last_checkpoint"
        for table in ("processed", "quarantine", "settled", "tombstones")
    ]
    return {path: session.repository.get(tag, path) for path in paths}


def test_what_was_latest_until_now_keeps_its_files_for_a_day(tmp_path: Path, lakefs_home: Settings) -> None:
    """Drops that are under way may be judged on its rows."""
    scene = made("append", tmp_path / "scene", lakefs_home, "judged_on")
    past = Past(scene.open(), scene, random.Random(SEED))
    for what in ("deliver", "deliver", "deliver", "roll back", "deliver"):
        past.did(what, 0)
    first, second = (past.manifests()[number] for number in (1, 2))
    aged(past.session)
    assert clean_up(past.session).expired == ["rides@v2", "rides@v3"]
    only = {item.physical for item in second.all_files} - {item.physical for item in first.all_files}
    assert only
    again = clean_up(past.session, dry_run=True)
    sizes = [(past.session.settings.home.blocks / path).stat().st_size for path in only]
    assert again.later_blocks >= len(sizes)
    assert again.later_freed >= sum(sizes)
    assert (
        timedelta(hours=23)
        < datetime.fromisoformat(again.later_at) - datetime.now(UTC)
        <= timedelta(hours=24, seconds=1)
    )
    assert {name: why for name, why in again.kept.items() if name.startswith("rides@")} == {
        "rides@v1": "a version of rides that stays was made from it",
        "rides@v4": "retention: among the newest 2",
        "rides@v5": "retention: among the newest 2",
    }
    assert only <= blocks(past.session)
    clean_up(past.session, now=datetime.now(UTC) + LATER)
    assert not only & blocks(past.session)
    told = [
        (item["version"], item["made_by"], item["made_from"], item["expired"])
        for item in list_versions(past.session, "rides")
    ]
    assert told == [
        (1, "drop", "", False),
        (2, "drop", "", True),
        (3, "drop", "", True),
        (4, "rollback", "rides@v1", False),
        (5, "drop", "", False),
    ]


def test_two_clean_ups_at_once_free_what_one_does(tmp_path: Path, lakefs_home: Settings) -> None:
    scene = made("append", tmp_path / "scene", lakefs_home, "twice")
    past = Past(scene.open(), scene, random.Random(SEED))
    for what in ("deliver", "deliver", "roll back", "deliver", "deliver"):
        past.did(what, 0)
    aged(past.session)
    sessions, later = [scene.open(), scene.open()], datetime.now(UTC) + LATER
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda session: clean_up(session, now=later), sessions))
    assert max(len(found.expired) for found in done) > 0
    assert not any(audit_all(past.session).values())
    nothing = clean_up(past.session, now=later)
    assert (nothing.expired, nothing.blocks, nothing.freed) == ([], 0, 0)


def test_a_version_that_somebody_needs_is_kept(tmp_path: Path, lakefs_home: Settings) -> None:
    scene = Scene.made(tmp_path / "scene", replaced=(), home=lakefs_home.home.root, tenant="kept")
    path = scene.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    path.write_text(path.read_text() + "  - {property: retention, value: {versions: 1}}\n")
    session = scene.open()
    for number in range(4):
        ingest(session, "rides", [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number))])
    one, two, three = (VersionName("rides", number) for number in (1, 2, 3))
    pin_version(session, one, reason="an audit", until=date(2126, 12, 31))
    pin_version(session, two, reason="in production", used_by="delays-7")
    for gone, ended in ((three, 2127), (one, 2128)):
        done = clean_up(session, now=datetime(ended - 1, 12, 31, 23, tzinfo=UTC))
        assert str(gone) in done.expired
        assert done.kept[str(two)] == "delays-7 uses it"
        assert done.kept.get(str(one)) == ("pinned until 2126-12-31" if gone == three else None)
    with pytest.raises(UsageError, match="2020-01-01 is past"):
        pin_version(session, one, reason="a slip", until=date(2020, 1, 1))
    with pytest.raises(UsageError, match=r"nothing on record pins rides@v2 for delays-8"):
        unpin_version(session, two, reason="a slip", used_by="delays-8")
    unpin_version(session, two, reason="replaced", used_by="delays-7")
    assert clean_up(session, now=datetime(2128, 1, 1, tzinfo=UTC)).expired == [str(two)]
    with pytest.raises(Expired, match="rides@v2 expired on 2128-01-01"):
        pin_version(session, two, reason="too late", used_by="delays-8")
    with pytest.raises(Expired, match="rides@v1 expired"):
        roll_back(session, one, reason="too late")
    with pytest.raises(
        Expired, match=r"rides@v1 expired on 2127-12-31 .*the newest 1;[^>]*-> this is no damage"
    ):
        audit(session, one)
    assert not any(audit_all(session).values())


def test_who_ends_a_version_and_who_goes_back_to_it_at_once_are_told_apart(
    tmp_path: Path, lakefs_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clean-up holds no queue: a rollback that was decided before, and is published after, must not find its files gone."""
    scene = Scene.made(tmp_path / "scene", replaced=(), home=lakefs_home.home.root, tenant="apart")
    path = scene.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    path.write_text(path.read_text() + "  - {property: retention, value: {versions: 1}}\n")
    session, honest = scene.open(), rollback.restore_files
    for number in range(3):
        ingest(session, "rides", [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number))])

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(rollback, "restore_files", honest)
        aged(session)
        assert clean_up(scene.open()).expired == ["rides@v1", "rides@v2"]
        honest(*args, **kwargs)

    monkeypatch.setattr(rollback, "restore_files", meanwhile)
    with pytest.raises(Expired, match="rides@v1 expired"):
        roll_back(session, VersionName("rides", 1), reason="a test")
    assert not any(audit_all(session).values())


NOW = datetime(2026, 1, 31, tzinfo=UTC)


@given(
    ages=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    versions=st.none() | st.integers(1, 5),
    days=st.none() | st.integers(1, 40),
    parent=st.none() | st.integers(1, 12),
    asked_for=st.sets(st.integers(1, 12), max_size=3),
    referenced=st.booleans(),
)
def test_the_latest_the_newest_the_young_and_the_parents_live(
    *,
    ages: list[int],
    versions: int | None,
    days: int | None,
    parent: int | None,
    asked_for: set[int],
    referenced: bool,
) -> None:
    def made(table: str, number: int, age: int, parents: list[Parent]) -> Manifest:
        created = (NOW - timedelta(days=age)).isoformat()
        return replace(MANIFEST, table=table, version=number, created_at=created, parents=parents)

    contract = Contract(
        name="rides",
        kind="dataset",
        path=Path(),
        hash="",
        columns=(),
        key=(),
        write_mode="append",
        retention=Retention(versions, days) if versions or days else None,
    )
    fares = replace(
        contract,
        name="fares",
        relationships=(Relationship(("ride",), "rides", ("ride",), "quarantine"),),
        retention=None,
    )
    contracts = {"rides": contract} | ({"fares": fares} if referenced else {})
    rides = [made("rides", number, age, []) for number, age in enumerate(ages, 1)]
    pinned = [Parent("rides", parent, "")] if parent is not None and parent <= len(rides) else []
    others = [made("features", 1, 100, pinned)]
    wanted = {item.name: "delays-7 uses it" for item in rides if item.version in asked_for}
    alive = versions_to_keep({item.name: item for item in [*rides, *others]}, contracts, wanted, now=NOW)
    assert VersionName("features", 1) in alive
    for item, age in zip(rides, ages, strict=True):
        told = {
            "delays-7 uses it": item.version in asked_for,
            "its contract names no retention": versions is None and days is None,
            f"retention: among the newest {versions}": versions is not None
            and item.version > len(rides) - versions,
            f"retention: younger than {days} days": days is not None and age < days,
            "the latest": item.version == len(rides),
            "a reference that was the latest less than a day ago": referenced
            and ages[item.version : item.version + 1] == [0],
            "a version of features that stays was made from it": any(
                parent.version == item.version for parent in pinned
            ),
        }
        assert alive.get(item.name) == next((why for why, holds in told.items() if holds), None)
