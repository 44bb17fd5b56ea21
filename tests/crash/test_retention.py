"""A clean-up frees exactly what no living version needs; whatever lives is whole, and what is on its way survives."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Contract, Relationship, Retention
from lake import rollback
from lake.audit import audit, audit_all
from lake.ingest import ingest
from lake.keep import keep_version
from lake.publish import manifest_at
from lake.retention import clean_up, living
from lake.rollback import roll_back
from lake.session import Session
from lakegate import open_snapshot
from lakegate.errors import Expired
from lakegate.manifest import Manifest, Parent
from lakegate.names import VersionName
from lakegate.settings import Settings
from tests.crash.conftest import Tried
from tests.crash.scene import Scene
from tests.unit.test_manifest import MANIFEST

pytestmark = pytest.mark.server

SEED = int(os.environ.get("LAKEGATE_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
UPSERTED = "  - {property: upsert, value: {orderBy: at}}\n"


@pytest.fixture(params=["append", "upsert", "replace"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, lakefs_home: Settings) -> Scene:
    made = Scene.made(tmp_path / "scene", home=lakefs_home.home.root, tenant=f"ends_{request.param}")
    path = made.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    text = path.read_text().replace("value: append", f"value: {request.param}")
    text = text.replace("      - {name: fare,", "      - {name: at, logicalType: integer, required: true}\n      - {name: fare,")
    path.write_text(text + "  - {property: retention, value: {versions: 2}}\n" + UPSERTED * (request.param == "upsert"))
    return made


def deliver(session: Session, scene: Scene, number: int, chance: random.Random) -> None:
    rides = [f"{chance.randint(1, 30)},{number},{ride}.5" for ride in range(chance.randint(1, 12))]
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


def test_exactly_what_no_living_version_needs_goes(scene: Scene, tried: Tried) -> None:
    chance, session = random.Random(SEED), scene.open()
    for number in range(1, 6):
        deliver(session, scene, number, chance)
    roll_back(session, VersionName("rides", chance.randint(2, 4)), reason="a test")
    deliver(session, scene, 6, chance)
    manifests = {number: manifest_at(session.repository, "main", VersionName("rides", number)) for number in range(1, 8)}
    named = {number: {item.physical for item in manifest.all_files} for number, manifest in manifests.items()}
    kept = {6, 7} | {parent.version for number in (6, 7) for parent in manifests[number].parents if parent.table == "rides"}
    aged(session)
    under_way = session.settings.home.blocks / session.settings.repository / "data" / "under-way"
    under_way.write_bytes(b"PAR1")
    dead = under_way.with_name("dead")
    dead.write_bytes(b"PAR1")
    os.utime(dead, (0, 0))
    before = blocks(session)

    told = clean_up(session, dry_run=True)
    assert blocks(session) == before
    done = clean_up(session)
    assert told == done, f"seed {SEED}"
    gone = before - blocks(session)
    assert sorted(done.expired) == sorted(f"rides@v{number}" for number in set(range(1, 8)) - kept), f"seed {SEED}"
    everything, alive = set().union(*named.values()), set().union(*(named[number] for number in kept))
    assert gone & everything == everything - alive, f"seed {SEED}"
    assert under_way.exists()
    assert not dead.exists()
    assert not any(audit_all(session).values()), f"seed {SEED}"
    with pytest.raises(Expired, match="its contract keeps it no longer"):
        open_snapshot("rides@v1", home=scene.home, tenant=scene.tenant)
    assert open_snapshot("rides@v7", home=scene.home, tenant=scene.tenant).arrow().num_rows == manifests[7].counts.after
    assert clean_up(session).expired == []
    deliver(session, scene, 7, chance)
    assert not any(audit_all(session).values()), f"seed {SEED}"
    tried("P4 named for good", "a clean-up frees what no living version needs, exactly that: append, upsert and replace", 1)


def test_a_version_that_somebody_needs_is_kept(tmp_path: Path, lakefs_home: Settings) -> None:
    scene = Scene.made(tmp_path / "scene", replaced=(), home=lakefs_home.home.root, tenant="kept")
    path = scene.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    path.write_text(path.read_text() + "  - {property: retention, value: {versions: 1}}\n")
    session = scene.open()
    for number in range(4):
        ingest(session, "rides", [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number))])
    one, two, three = (VersionName("rides", number) for number in (1, 2, 3))
    keep_version(session, one, reason="an audit", until=date(2026, 12, 31))
    keep_version(session, two, reason="in production", used_by="delays-7")
    for gone, ended in ((three, 2027), (one, 2028)):
        assert str(gone) in clean_up(session, now=datetime(ended - 1, 12, 31, 23, tzinfo=UTC)).expired
    keep_version(session, two, reason="replaced", used_by="delays-7", ended=True)
    assert clean_up(session, now=datetime(2028, 1, 1, tzinfo=UTC)).expired == [str(two)]
    with pytest.raises(Expired, match="rides@v2 expired on 2028-01-01"):
        keep_version(session, two, reason="too late", used_by="delays-8")
    with pytest.raises(Expired, match="rides@v1 expired"):
        roll_back(session, one, reason="too late")
    with pytest.raises(Expired, match="rides@v1 expired"):
        audit(session, one)
    assert not any(audit_all(session).values())


def test_who_ends_a_version_and_who_goes_back_to_it_at_once_are_told_apart(
    tmp_path: Path, lakefs_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clean-up holds no queue: a rollback that was decided before, and is published after, must not find its files gone."""
    scene = Scene.made(tmp_path / "scene", replaced=(), home=lakefs_home.home.root, tenant="apart")
    path = scene.folder / "project" / "catalog" / "contracts" / "rides.odcs.yaml"
    path.write_text(path.read_text() + "  - {property: retention, value: {versions: 1}}\n")
    session, honest = scene.open(), rollback.put_back
    for number in range(3):
        ingest(session, "rides", [scene.drop(f"{number}.csv", range(1 + 10 * number, 11 + 10 * number))])

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(rollback, "put_back", honest)
        aged(session)
        assert clean_up(scene.open()).expired == ["rides@v1", "rides@v2"]
        honest(*args, **kwargs)

    monkeypatch.setattr(rollback, "put_back", meanwhile)
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
    *, ages: list[int], versions: int | None, days: int | None, parent: int | None, asked_for: set[int], referenced: bool
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
    fares = replace(contract, name="fares", relationships=(Relationship(("ride",), "rides", ("ride",), "quarantine"),), retention=None)
    contracts = {"rides": contract} | ({"fares": fares} if referenced else {})
    rides = [made("rides", number, age, []) for number, age in enumerate(ages, 1)]
    pinned = [Parent("rides", parent, "")] if parent is not None and parent <= len(rides) else []
    others = [made("features", 1, 100, pinned)]
    wanted = {item.name for item in rides if item.version in asked_for}
    alive = living({item.name: item for item in [*rides, *others]}, contracts, wanted, now=NOW)
    assert VersionName("features", 1) in alive
    for item, age in zip(rides, ages, strict=True):
        kept = item.version == len(rides) or any(parent.version == item.version for parent in pinned)
        kept = kept or (versions is not None and item.version > len(rides) - versions) or (days is not None and age < days)
        kept = kept or (versions is None and days is None) or (referenced and ages[item.version : item.version + 1] == [0])
        assert (item.name in alive) == (kept or item.version in asked_for)
