"""Delimited text with a header, as RFC 4180 has it: the format `csv`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from catalog.contract import FileFormat
from catalog.documents.visible_names import MASK, folded
from lake.parsing.csv.parse import parse
from lake.parsing.formats import Format, Header
from lake.parsing.parsed import Parsed

MARKS: Final = ";,\t|"
"""Delimiters that a file may have been written with instead."""


@dataclass(frozen=True)
class Csv:
    """Delimited text, read as one contract says; `lake.parsing.csv.record_splitter` counts its records."""

    file: FileFormat

    @property
    def no_column(self) -> str:
        """What may be wrong with a file that brings no column of the contract."""
        return "is the file empty, without a header, with a title above it, of another delimiter"

    def parse(self, path: Path, *, into: Path) -> Parsed:
        """Stage the readable records of a plain file in `into`."""
        return parse(path, self.file, into=into)

    def restage(self, records: Sequence[str], header: Sequence[tuple[str, str]], *, folder: Path) -> Parsed:
        """Parse original records again, below the header that brings their columns now."""
        path, first = folder / "records.csv", self._line([now for _, now in header])
        path.write_text("".join(f"{line}\n" for line in (first, *records)), encoding="utf-8", newline="")
        return self.parse(path, into=folder / "parsed.parquet")

    def fields(self, record: str, header: Header) -> list[str] | None:
        """Values of an original record; None where they are not as many as the header's names."""
        try:
            found = next(csv.reader([record], delimiter=self.file.delimiter), [])
        except csv.Error:  # a field over the csv module's limit of 128 KiB
            return None
        return found if header and len(found) == len(header) else None

    def mask(self, record: str, header: Header, shown: Collection[str]) -> str | None:
        """Mask an original record but for the columns in `shown`, and for what has neither name nor value."""
        if (fields := self.fields(record, header)) is None:
            return None
        row = [(name, value) for (_, name), value in zip(header, fields, strict=True)]
        return self._line([value if name in shown or value == name == "" else MASK for name, value in row])

    def header_hint(self, names: Sequence[str], expected: Collection[str]) -> str:
        """The delimiter that parts these names into at least two expected ones, and what to write then."""
        wanted = {folded(name) for name in expected} - {""}

        def known(mark: str) -> int:
            parts = [part for name in names if mark in name for part in name.split(mark)]
            return sum(folded(part.strip(' "')) in wanted for part in parts)

        mark = max(MARKS, key=known)
        if known(mark) <= 1:  # which may be so by chance
            return ""
        option = f"delimiter: {json.dumps(mark)}"
        return f"they are delimited by {mark!r}: write {option} in the property file of the contract"

    def _line(self, values: Sequence[str]) -> str:
        """Values as a record, without its line end."""
        out = io.StringIO()
        csv.writer(out, delimiter=self.file.delimiter, lineterminator="").writerow(values)
        return out.getvalue()


FORMAT: Final[Callable[[FileFormat], Format]] = Csv
