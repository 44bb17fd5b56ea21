"""Retention: which versions live, and the clean-up that frees what only others need.

A version needs the files in its manifest and in those of its parents. With the embedded lakeFS everything goes that no living version, no
branch in work and no other object of the lake needs, once it is older than a grace time; lakeFS's own metadata is never touched. With
a lakeFS elsewhere its garbage collection does that: what it goes by, the branch that kept the version, is deleted.
"""

from __future__ import annotations

import contextlib
import math
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from lake import paths
from lake.lakefs.repository import MAIN, NotThere, Repository
from lake.ledger.version_records import merge_records, record_bytes, use_bytes
from lake.maintenance.pins import list_pins
from lake.maintenance.retention_policy import GRACE, versions_to_keep
from lake.maintenance.verify import expired, published_names
from lake.maintenance.version_trees import table_data
from lake.runtime.identity import current_user
from lake.session import Session
from lake.tables.delta_log import HINT
from lake.tables.log_cache import FOLDER
from lake.versions import publish
from lake.versions.home_copies import write_copy
from lakegate.manifest import Manifest
from lakegate.names import VersionName

OWN: Final = "_lakefs/"
"""lakeFS's own metadata in a namespace."""


@dataclass(frozen=True)
class CleanUp:
    """What a clean-up does, or would do: versions that expire with it, blocks that go, and what stays, how long or why."""

    expired: list[str]
    blocks: int
    freed: int
    """Bytes."""
    later_blocks: int = 0
    """Blocks that nothing needs but the grace time."""
    later_freed: int = 0
    """Their bytes."""
    later_at: str = ""
    """From when on a clean-up frees all of them, ISO 8601 in UTC to the second; empty where there are none."""
    kept: dict[str, str] = field(default_factory=dict)
    """Why each other version stays."""


def clean_up(
    session: Session, *, dry_run: bool = False, grace: timedelta = GRACE, now: datetime | None = None
) -> CleanUp:
    """Expire the versions that their contracts no longer keep, on record, and free what only they needed.

    Nobody waits for it: whoever keeps a version, or goes back to it, at the moment in which it is to end, writes to the same path.

    Raises:
        Conflict: Somebody did, so nothing ended.
    """
    moment, repository = now or datetime.now(UTC), session.repository
    manifests = _manifests(session)
    kept = _living(session, manifests, moment)
    ending = [name for name in manifests if name not in kept]
    if not dry_run:
        if ending:
            _record(session, ending, manifests, moment)
        for name in expired(repository):
            repository.delete_branch(name.keep_branch)
        manifests = _manifests(session)  # what was published meanwhile needs its files too
    alive = {name: manifest for name, manifest in manifests.items() if not dry_run or name in kept}
    graced = {
        name: found
        for name, found in _latest_since(session, manifests, moment, grace).items()
        if name not in alive
    }
    replaced = {paths.use(name.table, name.number) for name in ending} if dry_run else set[str]()
    doomed = list(_doomed(session, alive, graced, grace, replaced)) if repository.blocks else []
    going = [block for block in doomed if not block.until]
    later = [block for block in doomed if block.until]
    if not dry_run:
        for block in going:
            block.path.unlink(missing_ok=True)  # where two clean up at once
    end = max((block.until for block in later), default=0.0)
    return CleanUp(
        [str(name) for name in ending],
        len(going),
        sum(block.size for block in going),
        len(later),
        sum(block.size for block in later),
        datetime.fromtimestamp(math.ceil(end), UTC).isoformat() if later else "",
        {str(name): why for name, why in kept.items()},
    )


def _manifests(session: Session) -> dict[VersionName, Manifest]:
    """Those of the versions that didn't end."""
    known, names = dict[str, bytes](), sorted(published_names(session) - expired(session.repository).keys())
    return {name: publish.manifest_at(session.repository, MAIN, name, known=known) for name in names}


def _latest_since(
    session: Session, manifests: Mapping[VersionName, Manifest], moment: datetime, grace: timedelta
) -> dict[VersionName, tuple[Manifest, datetime]]:
    """What was its table's latest version within the grace time before a moment, ended or not, with the end of its own grace time.

    A drop that is under way may be judged on its rows.
    """
    found, known, told = dict[VersionName, tuple[Manifest, datetime]](), dict[str, bytes](), set[str]()
    for name in sorted(published_names(session), reverse=True):
        after = found.get(VersionName(name.table, name.number + 1))
        end = datetime.fromisoformat(after[0].created_at) + grace if after is not None else moment
        if after is not None and end <= moment:
            told.add(name.table)
        if name.table not in told:
            found[name] = (
                manifests.get(name) or publish.manifest_at(session.repository, MAIN, name, known=known),
                end,
            )
    return found


def _living(
    session: Session, manifests: Mapping[VersionName, Manifest], moment: datetime
) -> dict[VersionName, str]:
    wanted = dict[VersionName, list[str]]()
    for item in list_pins(session.repository):
        if item.holds(moment):
            wanted.setdefault(item.version, []).append(
                f"{item.used_by} uses it" if item.used_by else f"pinned until {item.until}"
            )
    return versions_to_keep(
        manifests,
        session.catalog.contracts,
        {name: " and ".join(why) for name, why in wanted.items()},
        now=moment,
    )


def _record(
    session: Session, names: list[VersionName], manifests: Mapping[VersionName, Manifest], moment: datetime
) -> None:
    """Say of versions that they ended, in one merge."""
    told, contracts = (
        {"at": moment.isoformat(timespec="seconds"), "by": current_user()},
        session.catalog.contracts,
    )
    bodies = dict[VersionName, bytes]()
    for name in names:
        why = f"its contract keeps it no longer: its retention is {contracts[name.table].retention}"
        which = {"table": name.table, "version": name.number, "published_at": manifests[name].created_at}
        bodies[name] = record_bytes({**which, **told, "why": why})
    records = {paths.expired(name.table, name.number): body for name, body in bodies.items()}
    records |= {paths.use(name.table, name.number): use_bytes() for name in bodies}
    merge_records(session, records, message=f"{len(names)} expire")
    for name, body in bodies.items():
        write_copy(session.settings.home.expiry_copy(session.settings.tenant, name.table, name.number), body)
        session.finished.pop(name, None)


@dataclass(frozen=True)
class _Block:
    """A block that nothing needs: its bytes, and the POSIX time until which a grace time keeps it, or 0."""

    path: Path
    size: int
    until: float


def _doomed(
    session: Session,
    alive: Mapping[VersionName, Manifest],
    graced: Mapping[VersionName, tuple[Manifest, datetime]],
    grace: timedelta,
    replaced: Collection[str],
) -> Iterator[_Block]:
    """The blocks of this tenant that nothing needs, but perhaps a version in its grace time; `replaced`: paths to be written over."""
    repository, root = session.repository, session.settings.home.blocks
    needed, until = _needed(repository, alive, graced, replaced), dict[str, float]()
    for manifest, end in graced.values():
        for item in manifest.all_files:
            until[item.physical] = max(end.timestamp(), until.get(item.physical, 0))
    oldest, namespace = time.time() - grace.total_seconds(), root / session.settings.repository
    for path in sorted(namespace.rglob("*")):
        physical = path.relative_to(root).as_posix()
        if physical not in needed and not path.relative_to(namespace).as_posix().startswith(OWN):
            with contextlib.suppress(FileNotFoundError):  # another clean-up was here first
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    young = status.st_mtime + grace.total_seconds() if status.st_mtime >= oldest else 0
                    yield _Block(path, status.st_size, max(young, until.get(physical, 0)))


def _needed(
    repository: Repository,
    alive: Mapping[VersionName, Manifest],
    graced: Collection[VersionName],
    replaced: Collection[str],
) -> set[str]:
    """Physical addresses of what has to stay. Branches are asked before main: what they merge meanwhile is found there."""
    needed = {item.physical for manifest in alive.values() for item in manifest.all_files}
    for branch in repository.branches(""):
        if branch not in (MAIN, paths.LEDGER) and VersionName.from_keep_branch(branch) is None:
            with contextlib.suppress(NotThere):  # merged since, or given up
                needed |= {repository.physical(item.physical_address) for item in repository.changed(branch)}
    hints = set[str]()
    for ref in (MAIN, paths.LEDGER):
        for item in repository.listing(ref, ""):
            if not table_data(item.path) and item.path not in replaced:
                needed.add(repository.physical(item.physical_address))
            if item.path.endswith(f"/{FOLDER}/{HINT}"):
                hints.add(item.path)
    # The only file of a table that is written over: whoever opens a Delta table by a tag asks for the one that was there.
    before = [
        (name.tag, path)
        for path in sorted(hints)
        for name in (*alive, *graced)
        if path.split("/")[1] == name.table
    ]
    return needed | {
        repository.physical(found.physical_address)
        for item in before
        if (found := repository.stat(*item)) is not None
    }
