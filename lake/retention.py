"""Retention: which versions live, and the clean-up that frees what only others need.

A version needs the files in its manifest and in those of its parents. With the embedded lakeFS everything goes that no living version, no
branch in work and no other object of the lake needs, once it is older than a grace time; lakeFS's own metadata is never touched. With
a lakeFS elsewhere its garbage collection does that: what it goes by, the branch that kept the version, is deleted.
"""

from __future__ import annotations

import contextlib
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from catalog.contract import Contract
from lake import layout, publish
from lake.audit import expired, published_names, table_data
from lake.delta_log import HINT
from lake.keep import keepings
from lake.on_record import merge_records, record_bytes, use_bytes
from lake.open_logs import FOLDER
from lake.receive import who
from lake.repository import MAIN, NotThere, Repository
from lake.session import Session
from lakegate.manifest import Manifest
from lakegate.names import VersionName

GRACE: Final = timedelta(days=1)
"""Age under which no block is removed, whatever names it: an upload may be on its way."""
OWN: Final = "_lakefs/"
"""lakeFS's own metadata in a namespace."""


@dataclass(frozen=True)
class CleanUp:
    """What a clean-up does, or would do: versions that expire with it, and blocks that go."""

    expired: list[str]
    blocks: int
    freed: int
    """Bytes."""


def clean_up(session: Session, *, dry_run: bool = False, grace: timedelta = GRACE, now: datetime | None = None) -> CleanUp:
    """Expire the versions that their contracts no longer keep, on record, and free what only they needed.

    Nobody waits for it: whoever keeps a version, or goes back to it, at the moment in which it is to end, writes to the same path.

    Raises:
        Conflict: Somebody did, so nothing ended.
    """
    moment, repository = now or datetime.now(UTC), session.repository
    manifests = _manifests(session)
    alive = _living(session, manifests, moment)
    ending = [name for name in manifests if name not in alive]
    if not dry_run:
        if ending:
            _record(session, ending, manifests, moment)
        for name in expired(repository):
            repository.delete_branch(name.keep_branch)
        manifests = _manifests(session)  # what was published meanwhile needs its files too
        alive = set(manifests)
    needing = {name: manifests[name] for name in alive} | _latest_since(session, manifests, moment - grace)
    replaced = {layout.use(name.table, name.number) for name in ending} if dry_run else set[str]()
    doomed = dict(_doomed(session, needing, grace, replaced)) if repository.blocks else {}
    if not dry_run:
        for path in doomed:
            path.unlink(missing_ok=True)  # where two clean up at once
    return CleanUp([str(name) for name in ending], len(doomed), sum(doomed.values()))


def _manifests(session: Session) -> dict[VersionName, Manifest]:
    """Those of the versions that didn't end."""
    known, names = dict[str, bytes](), sorted(published_names(session) - expired(session.repository).keys())
    return {name: publish.manifest_at(session.repository, MAIN, name, known=known) for name in names}


def _latest_since(session: Session, manifests: Mapping[VersionName, Manifest], moment: datetime) -> dict[VersionName, Manifest]:
    """What was its table's latest version at some time since then, ended or not: a drop that is under way may be judged on its rows."""
    found, known, told = dict[VersionName, Manifest](), dict[str, bytes](), set[str]()
    for name in sorted(published_names(session), reverse=True):
        after = found.get(VersionName(name.table, name.number + 1))
        if after is not None and datetime.fromisoformat(after.created_at) <= moment:
            told.add(name.table)
        if name.table not in told:
            found[name] = manifests.get(name) or publish.manifest_at(session.repository, MAIN, name, known=known)
    return found


def _living(session: Session, manifests: Mapping[VersionName, Manifest], moment: datetime) -> set[VersionName]:
    wanted = {item.version for item in keepings(session.repository) if item.holds(moment)}
    return living(manifests, session.catalog.contracts, wanted, now=moment)


def living(
    manifests: Mapping[VersionName, Manifest], contracts: Mapping[str, Contract], wanted: Collection[VersionName], *, now: datetime
) -> set[VersionName]:
    """The versions that stay: `wanted` ones, what a contract keeps, each table's latest, what raw delivered, and the parents of all these.

    So do those that a feature table has yet to be made from, and what a reference was less than a day ago: a drop that is under way may be
    judged against it.
    """
    latest = {name.table: name for name in sorted(manifests)}
    read = _read_up_to(manifests, contracts, latest)
    references = {table for contract in contracts.values() for table in contract.references}
    always = {*wanted, *latest.values()}
    kept = {
        name
        for name, manifest in manifests.items()
        if name in always
        or _keeps(name, manifest, contracts, latest, now)
        or name.number > read.get(name.table, name.number)
        or (name.table in references and _was_latest(name, manifests, since=now - GRACE))
    }
    todo = list(kept)
    while todo:
        for parent in manifests[todo.pop()].parents:
            if parent.name in manifests and parent.name not in kept:
                kept.add(parent.name)
                todo.append(parent.name)
    return kept


def _read_up_to(
    manifests: Mapping[VersionName, Manifest], contracts: Mapping[str, Contract], latest: Mapping[str, VersionName]
) -> dict[str, int]:
    """The newest version of each table that all feature tables which read it have seen; 0 where one has no version."""
    read: dict[str, int] = {}
    for contract in contracts.values():
        made = manifests[latest[contract.name]].parents if contract.name in latest else []
        seen = {parent.table: parent.version for parent in made}
        for table in contract.inputs:
            read[table] = min(read.get(table, seen.get(table, 0)), seen.get(table, 0))
    return read


def _was_latest(name: VersionName, manifests: Mapping[VersionName, Manifest], *, since: datetime) -> bool:
    """Whether a version was its table's latest at some time since then."""
    after = manifests.get(VersionName(name.table, name.number + 1))
    return after is not None and datetime.fromisoformat(after.created_at) > since


def _keeps(
    name: VersionName, manifest: Manifest, contracts: Mapping[str, Contract], latest: Mapping[str, VersionName], now: datetime
) -> bool:
    contract = contracts.get(name.table)
    if manifest.hop == "raw" or contract is None or contract.retention is None:
        return True
    versions, days = contract.retention.versions, contract.retention.days
    newest = versions is not None and name.number > latest[name.table].number - versions
    young = days is not None and datetime.fromisoformat(manifest.created_at) > now - timedelta(days=days)
    return newest or young


def _record(session: Session, names: list[VersionName], manifests: Mapping[VersionName, Manifest], moment: datetime) -> None:
    """Say of versions that they ended, in one merge."""
    told = {"at": moment.isoformat(timespec="seconds"), "by": who(), "why": "its contract keeps it no longer"}
    bodies = {
        name: record_bytes({"table": name.table, "version": name.number, "published_at": manifests[name].created_at, **told})
        for name in names
    }
    records = {layout.expired(name.table, name.number): body for name, body in bodies.items()}
    records |= {layout.use(name.table, name.number): use_bytes() for name in bodies}
    merge_records(session, records, told=f"{len(names)} expire")
    for name, body in bodies.items():
        session.copy_expiry(name, body)
        session.finished.pop(name, None)


def _doomed(
    session: Session, alive: Mapping[VersionName, Manifest], grace: timedelta, replaced: Collection[str]
) -> Iterator[tuple[Path, int]]:
    """The blocks of this tenant that nothing needs and that are old enough, with their bytes; `replaced`: paths to be written over."""
    repository, root = session.repository, session.settings.home.blocks
    needed, oldest = _needed(repository, alive, replaced), time.time() - grace.total_seconds()
    namespace = root / session.settings.repository
    for path in sorted(namespace.rglob("*")):
        physical = path.relative_to(root).as_posix()
        if physical not in needed and not path.relative_to(namespace).as_posix().startswith(OWN):
            with contextlib.suppress(FileNotFoundError):  # another clean-up was here first
                status = path.stat()
                if stat.S_ISREG(status.st_mode) and status.st_mtime < oldest:
                    yield path, status.st_size


def _needed(repository: Repository, alive: Mapping[VersionName, Manifest], replaced: Collection[str]) -> set[str]:
    """Physical addresses of what has to stay. Branches are asked before main: what they merge meanwhile is found there."""
    needed = {item.physical for manifest in alive.values() for item in manifest.all_files}
    for branch in repository.branches(""):
        if branch not in (MAIN, layout.LEDGER) and VersionName.from_keep_branch(branch) is None:
            with contextlib.suppress(NotThere):  # merged since, or given up
                needed |= {repository.physical(item.physical_address) for item in repository.changed(branch)}
    hints = set[str]()
    for ref in (MAIN, layout.LEDGER):
        for item in repository.listing(ref, ""):
            if not table_data(item.path) and item.path not in replaced:
                needed.add(repository.physical(item.physical_address))
            if item.path.endswith(f"/{FOLDER}/{HINT}"):
                hints.add(item.path)
    # The only file of a table that is written over: whoever opens a Delta table by a tag asks for the one that was there.
    before = [(name.tag, path) for path in sorted(hints) for name in alive if path.split("/")[1] == name.table]
    return needed | {repository.physical(found.physical_address) for item in before if (found := repository.stat(*item)) is not None}
