"""The ledger, made to agree with what is published: a run that dies between a merge and its record leaves a gap, and so does a lost branch.

What stands on main is the truth of what was published, withdrawn and superseded; the ledger's records of that can be made from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
"""In the source of a rollback's manifest: the drops that it took out, and those that stand again."""
SUPERSEDES: Final = "supersedes"
"""In that of a corrected delivery: the drop whose place it takes."""
STATES: Final = (PUBLISHED, WITHDRAWN, "superseded")
"""What main tells of a drop at a table."""


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
    """Where the ledger lacks what main says of a dataset's drops (of all datasets'); it reads names, and the bodies of what is missing.

    A version's own record is written last: where it is there, so are those of the drops that the version took out or brought back.
    """
    known = defaultdict[tuple[str, str, str], str](str)
    for record in records.find(session, dataset=dataset):
        if record.state in STATES:
            known[record.dataset, record.cause, record.table] = record.state
    for item in session.repository.listing(MAIN, paths.publications(dataset)):
        name, _, last = item.path.removeprefix(paths.publications()).partition("/")
        cause, table = last.removesuffix(".json").split(".", 1)
        yield from _lacking(session, known, name, cause, table)


def missing_records_of(
    session: Session, published: Iterable[tuple[str, str, str]]
) -> Iterator[MissingRecord]:
    """The same of some publishes, by dataset, cause and table."""
    for dataset, cause, table in published:
        yield from _lacking(session, _Known(session), dataset, cause, table)


class _Known(dict[tuple[str, str, str], str]):
    """What the ledger says of a dataset's drop at a table, asked for when it is needed."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __missing__(self, key: tuple[str, str, str]) -> str:
        found = [
            item.state
            for item in records.find(self.session, dataset=key[0], cause=key[1])
            if item.table == key[2]
        ]
        return next((state for state in reversed(found) if state in STATES), "")


def _lacking(
    session: Session, known: Mapping[tuple[str, str, str], str], dataset: str, cause: str, table: str
) -> Iterator[MissingRecord]:
    if (told := known[dataset, cause, table]) == PUBLISHED:
        return
    found = _gap(session, dataset, cause, table)
    if not found.publication or told == found.state:
        return
    yield found
    for other in displaced_drops(
        manifest_at(session.repository, MAIN, VersionName(table, int(found.publication["version"]))).source
    ):
        gap = _gap(session, dataset, other, table)
        if known[dataset, other, table] not in ("", gap.state):
            yield gap


def lacks(session: Session, gap: MissingRecord) -> bool:
    """Whether the ledger lacks that still, and main says it still."""
    return _Known(session)[gap.dataset, gap.cause, gap.table] != gap.state and gap == _gap(
        session, gap.dataset, gap.cause, gap.table
    )


def displaced_drops(source: dict[str, Any]) -> list[str]:
    """The drops that a version took out of the table, or brought back, by the source in its manifest."""
    return [*source.get(WITHDRAWN, []), *source.get(REINSTATED, []), *filter(None, [source.get(SUPERSEDES)])]


def record_displaced_drops(session: Session, dataset: str, table: str, published: Published) -> None:
    """Put on record what became of them."""
    for drop in displaced_drops(published.manifest.source):
        write_missing(session, _gap(session, dataset, drop, table))


def _gap(session: Session, dataset: str, cause: str, table: str) -> MissingRecord:
    return MissingRecord(
        dataset,
        cause,
        table,
        session.repository.get_json(MAIN, paths.publication(dataset, cause, table)) or {},
    )


def write_missing(session: Session, gap: MissingRecord) -> None:
    """Write the record that is missing."""
    number = gap.publication.get("version", 0)
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
    records.write(
        session, dataset=gap.dataset, cause=gap.cause, table=gap.table, state=gap.state, key=key, body=body
    )
