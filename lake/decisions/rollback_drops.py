"""The drops that a rollback withdraws or reinstates, and their records.

A withdrawn drop is published now and was not in the target; a reinstated drop was, and is not now. What was
published in the target is read from manifests and ledger entries, which nothing overwrites: the rest of a
tree that is history may be cleaned up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.contract import Contract
from lake import paths
from lake.hops.file_names import name_path_of
from lake.lakefs.repository import MAIN
from lake.ledger.repair import REINSTATED, displaced_drops
from lake.ledger.version_records import record_bytes
from lake.session import Session
from lake.versions import publish
from lake.versions.publish import ENDED, Candidate
from lakegate.errors import IntegrityError
from lakegate.manifest import Manifest
from lakegate.names import VersionName


@dataclass(frozen=True)
class MovedDrop:
    """A drop that is published in the latest version or in the target, not in both."""

    digest: str
    file: str
    """Name of the delivered file."""
    record: dict[str, Any]
    """Of its publish, as main holds it."""
    before: dict[str, Any] | None
    """The same record as it was in the target; None where the drop was not published there."""


def moved_drops(session: Session, latest: Manifest, target: Manifest) -> list[MovedDrop]:
    """The drops that a rollback to `target` withdraws or reinstates, in the order of their publishes."""
    table, found = target.table, []
    for drop, was_published in _published_in(session, target, latest).items():
        record = session.repository.get_json(MAIN, paths.publication(table, drop, table))
        if record is None or was_published == (ENDED not in record):
            continue
        entry = _ledger_entry(session, target, drop, int(record["version"]))
        made = _manifest(session, table, int(entry["version"]))
        if "delivered_name" in made.source:  # else a decision's cause, and no drop
            before = {key: entry[key] for key in record if key in entry} if was_published else None
            found.append(MovedDrop(drop, str(made.source["delivered_name"]), record, before))
    return sorted(found, key=lambda drop: int(drop.record["version"]))


def restore_records(
    session: Session, contract: Contract, drops: Sequence[MovedDrop], candidate: Candidate
) -> None:
    """Write the drops' records, and who holds their files' names, as they were in the target.

    Withdrawn drops come first: they give names back that reinstated ones take.
    """
    repository, branch, table = session.repository, candidate.branch, contract.name
    for drop in sorted(drops, key=lambda item: item.before is not None):
        record = drop.before or {**drop.record, ENDED: "withdrawn", "by": str(candidate.name)}
        body = record_bytes({**record, "attempt": candidate.attempt})
        repository.put(branch, paths.publication(table, drop.digest, table), body)
        name = name_path_of(table, drop.file)
        if drop.before is not None and contract.write_mode != "replace":
            repository.put(branch, name, record_bytes({"drop": drop.digest, "attempt": candidate.attempt}))
        elif (repository.get_json(branch, name) or {}).get("drop") == drop.digest:
            repository.delete(branch, name)


def _published_in(session: Session, target: Manifest, latest: Manifest) -> dict[str, bool]:
    """Whether each drop that later versions published, took out or brought back was published in the target.

    The first of these versions to name a drop changed what it was in the target.
    """
    was_published: dict[str, bool] = {}
    for number in range(target.version + 1, latest.version + 1):
        made = _manifest(session, target.table, number)
        was_published.setdefault(made.drop, False)
        for drop in displaced_drops(made.source):
            was_published.setdefault(drop, drop not in made.source.get(REINSTATED, []))
    return was_published


def _ledger_entry(session: Session, target: Manifest, drop: str, version: int) -> dict[str, Any]:
    """The ledger entry of a drop's last publish up to the target; where there is none, that of `version`.

    Raises:
        IntegrityError: There is none.
    """
    table = target.table
    if version > target.version:
        earlier = (_manifest(session, table, number) for number in range(target.version, 0, -1))
        version = next((made.version for made in earlier if made.drop == drop), version)
    path = paths.ledger_entry(table, version)
    if (entry := session.repository.get_json(MAIN, path)) is None:
        what = f"there is no record of what {table}@v{version} published"
        raise IntegrityError(what, where=path, fix=f"`lakegate verify {table}@v{version}`")
    return entry


def _manifest(session: Session, table: str, number: int) -> Manifest:
    return publish.manifest_at(session.repository, MAIN, VersionName(table, number))
