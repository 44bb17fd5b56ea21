"""The ledger, made to agree with what is published.

A run that dies between a merge and its record leaves the record missing, and so does a lost branch. What is
on main is the truth of what was published, withdrawn and superseded; the ledger's records of that can be made
from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lake import paths
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.session import Session
from lake.versions.origin import Origin
from lake.versions.publish import ENDED, Published, manifest_at
from lakegate.manifest import manifest_path
from lakegate.names import VersionName

PUBLISHED: Final = "published"
WITHDRAWN: Final = "withdrawn"
REINSTATED: Final = "reinstated"
"""In the source of a rollback's manifest: the drops that it took out, and those that are published again."""
SUPERSEDES: Final = "supersedes"
"""In that of a corrected delivery: the drop whose place it takes."""
STATES: Final = (PUBLISHED, WITHDRAWN, "superseded")
"""What main says of a drop at a table."""


@dataclass(frozen=True)
class MissingRecord:
    """A drop at a table, of which the ledger doesn't say what main says."""

    dataset: str
    cause: str
    table: str
    publication: dict[str, Any]

    @property
    def state(self) -> str:
        """What main says."""
        return str(self.publication.get(ENDED, PUBLISHED))


def missing_records(session: Session, dataset: str = "") -> Iterator[MissingRecord]:
    """Where the ledger lacks what main says of a dataset's drops (of all datasets').

    It reads names, and the bodies of what is missing. A version's own record is written last: where it is
    there, so are those of the drops that the version took out or brought back.
    """
    found = (record for record in records.find(session, dataset=dataset) if record.state in STATES)
    known = {(record.dataset, record.cause, record.table): record.state for record in found}
    for item in session.repository.listing(MAIN, paths.publications(dataset)):
        name, _, last = item.path.removeprefix(paths.publications()).partition("/")
        cause, table = last.removesuffix(".json").split(".", 1)
        yield from _missing(session, lambda *key: known.get(key, ""), name, cause, table)


def missing_records_of(
    session: Session, published: Iterable[tuple[str, str, str]]
) -> Iterator[MissingRecord]:
    """The same of some publishes, by dataset, cause and table."""
    for dataset, cause, table in published:
        yield from _missing(session, partial(_recorded_state, session), dataset, cause, table)


def _recorded_state(session: Session, dataset: str, cause: str, table: str) -> str:
    """What the ledger says of a drop at a table; empty where it says nothing."""
    found = [item for item in records.find(session, dataset=dataset, cause=cause) if item.table == table]
    return next((item.state for item in reversed(found) if item.state in STATES), "")


def _missing(
    session: Session, recorded: Callable[[str, str, str], str], dataset: str, cause: str, table: str
) -> Iterator[MissingRecord]:
    """What the ledger lacks of one publish; `recorded` looks up what it says of a drop at a table."""
    state = recorded(dataset, cause, table)
    if state == PUBLISHED:
        return
    found = _gap(session, dataset, cause, table)
    if not found.publication or state == found.state:
        return
    yield found
    version = VersionName(table, int(found.publication["version"]))
    for other in displaced_drops(manifest_at(session.repository, MAIN, version).source):
        gap = _gap(session, dataset, other, table)
        if recorded(dataset, other, table) not in ("", gap.state):
            yield gap


def lacks(session: Session, gap: MissingRecord) -> bool:
    """Whether the ledger lacks that still, and main says it still."""
    place = (gap.dataset, gap.cause, gap.table)
    return _recorded_state(session, *place) != gap.state and gap == _gap(session, *place)


def displaced_drops(source: dict[str, Any]) -> list[str]:
    """The drops that a version took out of the table, or brought back, by the source in its manifest."""
    return [*source.get(WITHDRAWN, []), *source.get(REINSTATED, []), *filter(None, [source.get(SUPERSEDES)])]


def record_displaced_drops(session: Session, dataset: str, table: str, published: Published) -> None:
    """Record what became of the drops that a version displaced."""
    for drop in displaced_drops(published.manifest.source):
        write_missing(session, _gap(session, dataset, drop, table))


def _gap(session: Session, dataset: str, cause: str, table: str) -> MissingRecord:
    publication = session.repository.get_json(MAIN, paths.publication(dataset, cause, table))
    return MissingRecord(dataset, cause, table, publication or {})


def write_missing(session: Session, gap: MissingRecord) -> None:
    """Write the record that is missing."""
    number = gap.publication.get("version", 0)
    place = {"dataset": gap.dataset, "cause": gap.cause, "table": gap.table}
    entry = session.repository.get_json(MAIN, paths.ledger_entry(gap.table, int(number))) or {}
    body = {
        "version": number,
        "attempt": gap.publication.get("attempt", ""),
        "durations": entry.get("durations", {}),
        "found": "on main",
    }
    if gap.state == PUBLISHED:
        manifest = session.repository.get_json(MAIN, manifest_path(gap.table, int(number))) or {}
        body |= Origin.of(manifest.get("source", {})).to_record()
    else:
        body["reason"] = f"{gap.state} by {gap.publication.get('by', 'another version')}"
    key = str(entry.get("key", "-"))
    records.write(session, **place, state=gap.state, key=key, body=body)
