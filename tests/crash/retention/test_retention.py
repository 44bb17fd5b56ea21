"""A clean-up frees exactly what no living version needs; whatever lives is whole,
and what is on its way survives.
"""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lake.tables.writer
from lake.maintenance.retention import clean_up
from lake.maintenance.verify import audit_all
from lake.reports.versions import list_versions
from lake.session import Session
from lakegate import open_snapshot
from lakegate.errors import Expired
from lakegate.settings import Settings
from tests.crash.conftest import Tried
from tests.support.lakes.retained import LATER, SEED, Past, aged, blocks, made

pytestmark = pytest.mark.server

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

PHASES = set(hypothesis.Phase) - {hypothesis.Phase.explain}


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_exactly_what_no_living_version_needs_goes(
    mode: str, tmp_path: Path, lakefs_home: Settings, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    """After any history: the files that no living manifest names, and blocks that nothing names,
    once they are old.
    """
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


def test_version_that_was_latest_until_now_keeps_its_files_for_a_day(
    tmp_path: Path, lakefs_home: Settings
) -> None:
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
