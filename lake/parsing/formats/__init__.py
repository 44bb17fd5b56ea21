"""Formats: what Lakegate asks of a kind of delivered file.

In here: the protocol `Format`, and one module a kind, named by its word in the contract
(`catalog.contract.FileKind`). A module has `FORMAT`, which makes a `Format` of a contract's options; it is
imported when a contract first asks for it. Whoever works on delivered files asks `format_of`, and knows no
kind by name. May import: all of `lake.parsing`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeAlias

from catalog.contract import FileFormat
from lake.parsing.parsed import Parsed

Header: TypeAlias = Sequence[tuple[str, str | None]]
"""Each text of a delivered header, in its own order, and the column that it brings, if any."""


class Format(Protocol):
    """A kind of file, read as one contract says.

    An original record is the text that the quarantine has of a row: as delivered where the format is text.
    """

    @property
    def no_column(self) -> str:
        """What may be wrong with a file that brings no column of the contract; a question begins so."""
        ...

    def parse(self, path: Path, *, into: Path) -> Parsed:
        """Stage an unpacked file's readable records in `into`, in bounded memory.

        `Parsed.records` is counted apart from the parser; `Parsed.originals` gives records back by number.

        Raises:
            DataRejected: It isn't of this format, or has no header where it needs one.
            IntegrityError: Records don't add up.
        """
        ...

    def restage(self, records: Sequence[str], header: Sequence[tuple[str, str]], *, folder: Path) -> Parsed:
        """Parse original records again, as the contract says now; their numbers are their places, from 1.

        Args:
            records: As the quarantine has them.
            header: Each text of the header that they came under, and the one that brings its column now.
            folder: Scratch folder, in which the staging file is made.
        """
        ...

    def fields(self, record: str, header: Header) -> list[str] | None:
        """Values of an original record, in the header's order; None where it can't be divided into them."""
        ...

    def mask(self, record: str, header: Header, shown: Collection[str]) -> str | None:
        """Mask an original record but for columns in `shown`; None where it can't be divided into fields."""
        ...

    def header_hint(self, names: Sequence[str], expected: Collection[str]) -> str:
        """What to correct in the contract where none of a file's `names` is `expected`; empty: nothing."""
        ...


def format_of(file: FileFormat) -> Format:
    """The format that a contract names, with the contract's options."""
    made: Callable[[FileFormat], Format] = import_module(f"{__name__}.{file.kind}").FORMAT
    return made(file)
