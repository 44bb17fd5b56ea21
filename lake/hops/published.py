"""What is published on main already, and the steps after a merge that an interrupted attempt left undone.

A version counts from its merge on. Its tag, its retention branch and the home's copy of its manifest follow,
so a process may die in between. Whoever needs such a version finishes them first; a dry run only reads.
"""

from __future__ import annotations

from typing import Any, Final

from lake import paths
from lake.hops.job import Job
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import is_pending
from lake.session import Session
from lake.versions import publish
from lake.versions.home_copies import copy_manifest
from lake.versions.publish import Published
from lake.versions.recover import recover
from lake.versions.tags import give_name
from lakegate.errors import Expired
from lakegate.manifest import Manifest
from lakegate.names import VersionName

REBUILT: Final = "rebuilt"
"""In the notes of a manifest: the reprocesses of its table that no rollback undid, oldest first."""
JUDGED: Final = "drops"
"""In the evidence of a reprocess: what became of each drop that it judged."""
REMEMBERED: Final = 200
"""Versions: each names all its files, so all of them would take memory by the square of their number."""


def latest_name(session: Session, table: str) -> VersionName | None:
    """The name of the table's latest version; None before its first."""
    head = publish.head(session.repository, table)
    return None if head is None else VersionName(table, int(head["version"]))


def latest_version(session: Session, table: str) -> Published | None:
    """The table's latest version; None before its first. Raises what `published_version` does."""
    name = latest_name(session, table)
    return None if name is None else published_version(session, name)


def finish_interrupted(session: Session, table: str) -> None:
    """Finish the table's latest version after an attempt that died; needs the table's lease."""
    if (name := latest_name(session, table)) is not None:
        finish_interrupted_at(session, name)


def finish_interrupted_at(session: Session, name: VersionName) -> None:
    """Finish a version that is the latest, or was when its name was read: it may have expired since."""
    if name not in session.swept:
        cause = published_version(session, name).manifest.drop
        publish.delete_stale_candidates(session.repository, table=name.table, cause=cause)
        session.swept.add(name)


def find_published(session: Session, job: Job) -> Published | None:
    """The version that this job was published as (its tag may be missing); None: it has to be published."""
    name = published_as(session, dataset=job.dataset, cause=job.cause, table=job.table, replaces=job.replaces)
    return None if name is None or job.anew else recover(session.repository, name)


def published_as(
    session: Session, *, dataset: str, cause: str, table: str, replaces: bool = False
) -> VersionName | None:
    """The version that a cause was published as; None where it wasn't, or that publish was withdrawn.

    Args:
        session: The open lake.
        dataset: The dataset of the drop, or the feature table.
        cause: The SHA-256 of the drop, or of whatever else was published.
        table: The table that it was published to.
        replaces: The table holds one delivery alone. An older content that is pending, and not the latest,
            has to be published again then: one publish uses up one delivery.
    """
    found = publish.publication(session.repository, dataset=dataset, cause=cause, table=table)
    if found is None:
        return None
    if replaces:
        head = publish.head(session.repository, table)
        if (head is None or head["cause"] != cause) and is_pending(session, dataset, cause):
            return None
    return VersionName(table, int(found["version"]))


def ensure_named(session: Session, published: Published) -> Published:
    """The steps after the merge, each harmless when repeated: tag, retention branch, the home's copy."""
    give_name(session.repository, published)
    return cache_published(session, published)


def cache_published(session: Session, published: Published) -> Published:
    """Store the home's copy of a version's manifest, and remember that the version is complete."""
    copy_manifest(session.settings.home, published.manifest)
    return _remember(session, published)


def _remember(session: Session, published: Published) -> Published:
    session.finished.pop(published.name, None)
    session.finished[published.name] = published
    while len(session.finished) > REMEMBERED:
        del session.finished[next(iter(session.finished))]
    return published


def published_version(session: Session, name: VersionName) -> Published:
    """A version that main names, with the steps after its merge done, whichever attempt merged it.

    In a dry run they stay undone, so read such a version by its commit, not by its tag.

    Raises:
        IntegrityError: No merge commit published it, or its tag or branch is on another commit.
        Expired: Retention expired it.
    """
    if (known := session.finished.get(name)) is not None:
        return known
    if (gone := session.repository.get_json(MAIN, paths.expired(name.table, name.number))) is not None:
        raise Expired.of(name, gone)
    found = recover(session.repository, name)
    return _remember(session, found) if session.dry_run else ensure_named(session, found)


def rebuilt_since(session: Session, latest: Manifest, name: VersionName, drop: str) -> dict[str, Any] | None:
    """What became of a drop when a reprocess judged it after the version `name`; None where none did.

    Reads nothing of lakeFS where the table's latest version lists no later reprocess.
    """
    for number in reversed(latest.notes.get(REBUILT, [])):
        if number <= name.number:
            break
        evidence = session.repository.get_json(MAIN, paths.evidence(name.table, number)) or {}
        if (counts := evidence.get(JUDGED, {}).get(drop)) is not None:
            return {"version": number, "name": str(VersionName(name.table, number)), **counts}
    return None
