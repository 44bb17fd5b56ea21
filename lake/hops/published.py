"""What stands on main already: found from the lake alone, and finished where an attempt died between its merge and its name."""

from __future__ import annotations

from typing import Any, Final

from lake import paths
from lake.hops.job import Job
from lake.hops.no_rows_taken import NOTE
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
"""In the notes of a manifest: the reprocesses that its table went through, oldest first; a rollback takes those back that came since."""
INHERITED: Final = (REBUILT, NOTE)
"""Notes that hold for the next version too, unless it says otherwise; an empty one is left out."""
JUDGED: Final = "drops"
"""In the evidence of a reprocess: what came of each drop that it judged."""
REMEMBERED: Final = 200
"""Versions: each names all its files, so a process that remembered every one would grow with the square of them."""


def finish_interrupted(session: Session, table: str) -> None:
    """Finish the table's latest version, where an attempt died between merge and tag. Call it in the table's queue."""
    if (head := publish.head(session.repository, table)) is not None:
        finish_interrupted_at(session, VersionName(table, int(head["version"])))


def finish_interrupted_at(session: Session, name: VersionName) -> None:
    """The same of a version that is the latest, or was when somebody looked; it may have expired since."""
    if name not in session.swept:
        publish.delete_stale_candidates(
            session.repository, table=name.table, cause=published_version(session, name).manifest.drop
        )
        session.swept.add(name)


def find_published(session: Session, job: Job) -> Published | None:
    """The publish of this job that stands on main, where there is one (its tag may still be missing)."""
    name = published_as(session, dataset=job.dataset, cause=job.cause, table=job.table, replaces=job.replaces)
    return None if name is None or job.anew else recover(session.repository, name)


def published_as(
    session: Session, *, dataset: str, cause: str, table: str, replaces: bool
) -> VersionName | None:
    """The version that a drop was published as, unless it was delivered anew to a table that holds another one since.

    That an older content of a replace table is to be published again is told by its pending marker, and by nothing else: a
    delivery is used up by one publish.
    """
    done = publish.publication(session.repository, dataset=dataset, cause=cause, table=table)
    if done is None:
        return None
    if (
        replaces
        and (publish.head(session.repository, table) or {}).get("cause") != cause
        and is_pending(session, dataset, cause)
    ):
        return None
    return VersionName(table, int(done["version"]))


def ensure_named(session: Session, published: Published) -> Published:
    """The steps after the merge, each harmless when done again: tag, retention branch, the home's copy."""
    give_name(session.repository, published)
    return cache_published(session, published)


def cache_published(session: Session, published: Published) -> Published:
    """Put the home's copy of a version's manifest in its place, and remember that nothing of it is left to do."""
    copy_manifest(session.settings.home, published.manifest)
    session.finished.pop(published.name, None)
    session.finished[published.name] = published
    while len(session.finished) > REMEMBERED:
        del session.finished[next(iter(session.finished))]
    return published


def published_version(session: Session, name: VersionName) -> Published:
    """A version that main names, with the steps after its merge done, by whichever attempt.

    Raises:
        IntegrityError: No merge commit published it, or its tag or branch is on another commit.
        Expired: It is kept no longer.
    """
    if (known := session.finished.get(name)) is not None:
        return known
    if (gone := session.repository.get_json(MAIN, paths.expired(name.table, name.number))) is not None:
        raise Expired.of(name, gone)
    return ensure_named(session, recover(session.repository, name))


def inherit_notes(notes: dict[str, Any], parent: Manifest | None) -> dict[str, Any]:
    """Notes of a new version, with those of its parent that hold for it too."""
    inherited = {name: notes.get(name, parent.notes.get(name) if parent else None) for name in INHERITED}
    return {name: told for name, told in {**notes, **inherited}.items() if told or name not in INHERITED}


def rebuilt_since(session: Session, latest: Manifest, name: VersionName, drop: str) -> dict[str, Any] | None:
    """What came of a drop when a reprocess judged it after the version that it was published as; None where none did.

    Asks nothing of lakeFS where the table's latest version says that there was none.
    """
    for number in reversed(latest.notes.get(REBUILT, [])):
        if number <= name.number:
            break
        evidence = session.repository.get_json(MAIN, paths.evidence(name.table, number)) or {}
        if (counts := evidence.get(JUDGED, {}).get(drop)) is not None:
            return {"version": number, "name": str(VersionName(name.table, number)), **counts}
    return None
