"""What a delivered file holds, whatever its format: its records, those that can be read, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lake.parsing.column_mapping import Shape
from lake.parsing.source_records import Originals


@dataclass(frozen=True)
class Unreadable:
    """A record that can't be read: its number, its bytes (end excludes the terminator), and why."""

    row: int
    start: int
    end: int
    reason: str


@dataclass(frozen=True)
class Parsed:
    """What a file holds: records = readable + unreadable_count, by a count that the parser doesn't supply.

    `columns` are those that the file brings, named as the contract names them. `staging` has one row per
    readable record: the columns as text (those that the format doesn't know as `_rescued`, where it rescues
    them; of those that it types, what is not plain, and the plain values beside), and `_row`; None where
    there is no header or it names a column twice. `originals` gives records as they were delivered.
    `unreadable` lists the first ones, `reasons` counts all; `account` tells the bytes by what they belong to
    and adds up to the file's size.
    """

    columns: tuple[str, ...]
    records: int
    readable: int
    unreadable: tuple[Unreadable, ...]
    unreadable_count: int
    reasons: dict[str, int]
    staging: Path | None
    account: dict[str, int]
    blank: int
    originals: Originals | None = None
    rescued: int | None = None
    """Readable records with something in `_rescued`; None where the format rescues nothing."""
    shape: Shape | None = None
    """The header as delivered, and what each of it brings; None where the file is empty."""
    ended: bool = True
    """Whether the file ends in a line end; an empty one does, and so does one of a format without lines."""
    unreadable_message: str = ""
    """What is wrong with the unreadable records, and where the first is; empty where there is none."""
