"""Retention: expire versions, and free the files that only they need.

A version needs the files in its manifest and in those of its parents. With the embedded lakeFS the clean-up
removes what no remaining version, no branch in work and no other object of the lake needs, once it is older
than a grace time; it never touches lakeFS's own metadata. With a lakeFS elsewhere that one's garbage
collection frees the files: the clean-up deletes the retention branch that it goes by.
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
from lake.maintenance.known_versions import expired, published_names
from lake.maintenance.pins import list_pins
from lake.maintenance.retention_policy import GRACE, versions_to_keep
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
    """What a clean-up did, or would do: the versions that expire, the blocks that go, what stays and why."""

    expired: list[str]
    blocks: int
    freed: int
    """Bytes."""
    later_blocks: int = 0
    """Blocks that nothing needs but the grace time."""
    later_freed: int = 0
    """Their bytes."""
    later_at: str = ""
    """When a clean-up frees all of them, ISO 8601 in UTC to the second; empty where there are none."""
    kept: dict[str, str] = field(default_factory=dict)
    """Why each other version stays."""


def clean_up(
    session: Session, *, dry_run: bool = False, grace: timedelta = GRACE, now: datetime | None = None
) -> CleanUp:
    """Expire the versions that their contracts no longer keep, on record, and free what only they needed.

    No lease is held: a process that pins a version, or rolls back to it, at the same moment writes to the
    same path.

    Args:
        session: The open lake.
        dry_run: Only say what would be done.
        grace: How long a block stays that nothing needs.
        now: The present, where it is another one.

    Raises:
        Conflict: A process did that, so nothing ended.
    """
    moment, repository = now or datetime.now(UTC), session.repository
    manifests = _manifests(session)
    kept = _versions_to_keep(session, manifests, moment)
    ending = [name for name in manifests if name not in kept]
    if dry_run:
        alive = {name: manifests[name] for name in kept}
        replaced = {paths.use(name.table, name.number) for name in ending}
    else:
        if ending:
            _record(session, ending, manifests, moment)
        for name in expired(repository):
            repository.delete_branch(name.keep_branch)
        alive = manifests = _manifests(session)  # what was published meanwhile needs its files too
        replaced = set()
    latest = _latest_since(session, manifests, moment, grace)
    graced = {name: found for name, found in latest.items() if name not in alive}
    unneeded = list(_unneeded(session, alive, graced, grace, replaced)) if repository.blocks else []
    going = [block for block in unneeded if not block.until]
    later = [block for block in unneeded if block.until]
    if not dry_run:
        for block in going:
            block.path.unlink(missing_ok=True)  # another clean-up may be at work
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
    """The manifests of the versions that didn't end."""
    names = sorted(published_names(session) - expired(session.repository).keys())
    known: dict[str, bytes] = {}
    return {name: publish.manifest_at(session.repository, MAIN, name, known=known) for name in names}


def _latest_since(
    session: Session, manifests: Mapping[VersionName, Manifest], moment: datetime, grace: timedelta
) -> dict[VersionName, tuple[Manifest, datetime]]:
    """The versions that were their table's latest within the grace time, each with the end of its own.

    A drop may be judged on their rows at this moment, whether they ended or not.
    """
    found = dict[VersionName, tuple[Manifest, datetime]]()
    known, done = dict[str, bytes](), set[str]()
    for name in sorted(published_names(session), reverse=True):
        end, after = moment, found.get(VersionName(name.table, name.number + 1))
        if after is not None:
            end = datetime.fromisoformat(after[0].created_at) + grace
            if end <= moment:
                done.add(name.table)
        if name.table not in done:
            manifest = manifests.get(name)
            if manifest is None:
                manifest = publish.manifest_at(session.repository, MAIN, name, known=known)
            found[name] = manifest, end
    return found


def _versions_to_keep(
    session: Session, manifests: Mapping[VersionName, Manifest], moment: datetime
) -> dict[VersionName, str]:
    pinned = dict[VersionName, str]()
    for pin in list_pins(session.repository):
        if pin.holds(moment):
            why = f"{pin.used_by} uses it" if pin.used_by else f"pinned until {pin.until}"
            pinned[pin.version] = f"{pinned[pin.version]} and {why}" if pin.version in pinned else why
    return versions_to_keep(manifests, session.catalog.contracts, pinned, now=moment)


def _record(
    session: Session, names: list[VersionName], manifests: Mapping[VersionName, Manifest], moment: datetime
) -> None:
    """Put on record that versions ended, in one merge."""
    records, home = dict[str, bytes](), session.settings.home
    for name in names:
        retention = session.catalog.contracts[name.table].retention
        body = {
            "table": name.table,
            "version": name.number,
            "published_at": manifests[name].created_at,
            "at": moment.isoformat(timespec="seconds"),
            "by": current_user(),
            "why": f"its contract keeps it no longer: its retention is {retention}",
        }
        records[paths.expired(name.table, name.number)] = record_bytes(body)
        records[paths.use(name.table, name.number)] = use_bytes()
    merge_records(session, records, message=f"{len(names)} expire")
    for name in names:
        copy = home.expiry_copy(session.settings.tenant, name.table, name.number)
        write_copy(copy, records[paths.expired(name.table, name.number)])
        session.finished.pop(name, None)


@dataclass(frozen=True)
class _Block:
    """A block that nothing needs: its bytes, and the POSIX time until which a grace time keeps it, or 0."""

    path: Path
    size: int
    until: float


def _unneeded(
    session: Session,
    alive: Mapping[VersionName, Manifest],
    graced: Mapping[VersionName, tuple[Manifest, datetime]],
    grace: timedelta,
    replaced: Collection[str],
) -> Iterator[_Block]:
    """The blocks of this tenant that nothing needs, except perhaps a version in its grace time.

    Args:
        session: The open lake.
        alive: The versions that stay.
        graced: Those that end, and were the latest within the grace time.
        grace: The grace time.
        replaced: Paths whose objects are about to be overwritten.
    """
    root, until = session.settings.home.blocks, dict[str, float]()
    needed = _needed(session.repository, alive, graced, replaced)
    for manifest, end in graced.values():
        for item in manifest.all_files:
            until[item.physical] = max(end.timestamp(), until.get(item.physical, 0))
    oldest, namespace = time.time() - grace.total_seconds(), root / session.settings.repository
    for path in sorted(namespace.rglob("*")):
        physical = path.relative_to(root).as_posix()
        if physical in needed or path.relative_to(namespace).as_posix().startswith(OWN):
            continue
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
    """Physical addresses of what has to stay.

    Branches are read before main: what they merge meanwhile is found there.
    """
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
    # The hint is the only file of a table that is overwritten; who opens a tag reads the tag's own.
    for path in hints:
        for name in (*alive, *graced):
            if path.split("/")[1] == name.table and (found := repository.stat(name.tag, path)) is not None:
                needed.add(repository.physical(found.physical_address))
    return needed
