"""Retention: which versions live, and the clean-up that frees what only others need.

A version needs the files in its manifest and in those of its parents. With the embedded lakeFS everything goes that no living version, no
branch in work and no other object of the lake needs, once it is older than a grace time; lakeFS's own metadata is never touched. With
a lakeFS elsewhere its garbage collection does that: what it goes by, the branch that kept the version, is deleted.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from catalog.contract import Contract
from lake import layout, publish
from lake.audit import expired, published_names, table_data
from lake.receive import who
from lake.repository import MAIN, Repository
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
    """Expire the versions that their contracts no longer keep, on record, and free what only they needed."""
    moment, repository = now or datetime.now(UTC), session.repository
    gone = expired(repository)
    manifests = {name: publish.manifest_at(repository, MAIN, name) for name in sorted(published_names(session)) if name not in gone}
    alive = living(manifests, session.catalog.contracts, now=moment)
    ending = [name for name in manifests if name not in alive]
    if not dry_run and ending:
        _record(session, ending, manifests, moment)
    doomed = list(_doomed(session, {name: manifests[name] for name in alive}, grace)) if repository.blocks else []
    freed = sum(path.stat().st_size for path in doomed)
    if not dry_run:
        for path in doomed:
            path.unlink()
    return CleanUp([str(name) for name in ending], len(doomed), freed)


def living(manifests: Mapping[VersionName, Manifest], contracts: Mapping[str, Contract], *, now: datetime) -> set[VersionName]:
    """The versions that stay: what a contract keeps, each table's latest, what raw delivered, and the parents of all these."""
    latest = {name.table: name for name in sorted(manifests)}
    kept = {name for name, manifest in manifests.items() if name == latest[name.table] or _keeps(name, manifest, contracts, latest, now)}
    todo = list(kept)
    while todo:
        for parent in manifests[todo.pop()].parents:
            if parent.name in manifests and parent.name not in kept:
                kept.add(parent.name)
                todo.append(parent.name)
    return kept


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
    """Say of versions that they ended, in one merge; then let go of what kept them."""
    repository, branch = session.repository, f"retention-{uuid.uuid4().hex[:8]}"
    repository.branch(branch, MAIN)
    try:
        for name in names:
            body = {
                "format": layout.FORMAT,
                "table": name.table,
                "version": name.number,
                "at": moment.isoformat(timespec="seconds"),
                "by": who(),
                "why": "its contract keeps it no longer",
                "published_at": manifests[name].created_at,
            }
            content = json.dumps(body, sort_keys=True).encode()
            repository.put(branch, layout.expired(name.table, name.number), content)
        told = f"{len(names)} versions expire"
        repository.commit(branch, told, {"lakegate_expired": str(len(names))})
        repository.merge(branch, told, {"lakegate_expired": str(len(names))})
    finally:
        repository.delete_branch(branch)
    for name in names:
        session.copy_expiry(name, repository.get(MAIN, layout.expired(name.table, name.number)) or b"")
        repository.delete_branch(name.keep_branch)


def _doomed(session: Session, alive: Mapping[VersionName, Manifest], grace: timedelta) -> Iterator[Path]:
    """The blocks of this tenant that nothing needs and that are old enough."""
    repository, root = session.repository, session.settings.home.blocks
    needed, oldest = _needed(repository, alive), time.time() - grace.total_seconds()
    namespace = root / session.settings.repository
    for path in sorted(namespace.rglob("*")):
        physical = path.relative_to(root).as_posix()
        if (
            path.is_file()
            and physical not in needed
            and not path.relative_to(namespace).as_posix().startswith(OWN)
            and path.stat().st_mtime < oldest
        ):
            yield path


def _needed(repository: Repository, alive: Mapping[VersionName, Manifest]) -> set[str]:
    """Physical addresses of what has to stay."""
    needed = {item.physical for manifest in alive.values() for item in manifest.all_files}
    for ref in (MAIN, layout.LEDGER):
        needed |= {repository.physical(item.physical_address) for item in repository.listing(ref, "") if not table_data(item.path)}
    for branch in repository.branches(""):
        if branch not in (MAIN, layout.LEDGER) and VersionName.from_keep_branch(branch) is None:
            needed |= {repository.physical(item.physical_address) for item in repository.changed(branch)}
    return needed
