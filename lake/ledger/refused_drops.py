"""Which pending drops were refused: markers beside the ledger, so that one listing shows all of a dataset.

An ingest has to know which drops are before it and undecided. Without markers it would read the records of
every drop that was ever blocked or rejected. A marker says what the newest record of a drop is. It is deleted
before another record is written and before the drop is delivered again, so a crash leaves one too few, and
never one that isn't true: a drop without one is looked up in its records, as drops are that earlier releases
refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from lake import paths
from lake.session import Session

STATES: Final = ("blocked", "rejected")
"""States of a drop that nobody waits for."""
_JOINED: Final = "+"
"""Separates the words of a marker's name; a record's separator would make it look like a record."""


@dataclass(frozen=True)
class Refused:
    """A drop that was refused: the path of its newest record, and the hash of its latest delivery's name."""

    record: str
    name: str


def name_hash(name: str) -> str:
    """What a delivery's name is called in a path."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def refused_drops(session: Session, dataset: str) -> dict[str, Refused]:
    """The marked drops of a dataset, by SHA-256; some may be pending no longer."""
    prefix, found = paths.refused(dataset), dict[str, Refused]()
    for item in session.repository.listing(paths.LEDGER, prefix):  # in the order of their records
        digest, name, record = item.path.removeprefix(prefix).split("/")
        found[digest] = Refused(f"{dataset}/{digest}/{record.replace(_JOINED, paths.SEPARATOR)}", name)
    return found


def mark(session: Session, dataset: str, drop: str, *, name: str, record: str) -> None:
    """Mark a drop as refused.

    Args:
        session: The open lake.
        dataset: Of the drop.
        drop: SHA-256 of its bytes.
        name: Name of its latest delivery.
        record: Path of its newest record, which refused it.
    """
    session.unmarked.discard((dataset, drop))
    last = record.rsplit("/", 1)[-1].replace(paths.SEPARATOR, _JOINED)
    session.repository.put(paths.LEDGER, f"{paths.refused(dataset)}{drop}/{name_hash(name)}/{last}", b"{}")


def unmark(session: Session, dataset: str, drop: str) -> None:
    """Take the marker of a drop away, where it has one: something new becomes of it."""
    for item in session.repository.listing(paths.LEDGER, f"{paths.refused(dataset)}{drop}/"):
        session.repository.delete(paths.LEDGER, item.path)
