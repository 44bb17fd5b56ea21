"""Which of a file's columns are staged, under the names that the contract gives them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pyarrow as pa

from catalog.contract import RESCUED, ColumnType, FileFormat
from catalog.documents.visible_names import UNCLAIMED
from catalog.nested import Nested
from expectations.typed_frame import RECORD, ROW, nested_marker, plain_column
from lake.parsing.fast_typing import PLAIN, part_plain
from lake.parsing.json_checks import judge_nested
from lake.parsing.rescued_columns import json_objects
from lakegate.errors import DataRejected

UNNAMED: Final = ""


@dataclass(frozen=True)
class Shape:
    """A file's columns: the `header` as delivered, and the `columns` that it brings, place by place.

    A column that the contract names by another header has its own name; every other is its header. A header
    that is the name of a column which comes under another one is marked as `UNCLAIMED`, and brings nothing.
    `unnamed` are the places at the end of the header that have no name, as where every line ends with a
    delimiter: they count as columns where a record holds something there.
    """

    header: tuple[str, ...]
    columns: tuple[str, ...]
    unnamed: frozenset[int]
    format: FileFormat

    @classmethod
    def of(cls, header: tuple[str, ...], format: FileFormat) -> Shape:  # noqa: A002
        """For a header, under a contract's format."""
        brought = dict(format.headers)
        taken = {name.lower() for name in brought.values()}
        own = [f"{UNCLAIMED}{name}" if name.lower() in taken else name for name in header]
        columns = [brought.get(name, column) for name, column in zip(header, own, strict=True)]
        first = header.index(UNNAMED) + 1 if UNNAMED in header and UNNAMED in brought else 0
        end = len(header)
        while end > max(first, 1) and header[end - 1] == UNNAMED:
            end -= 1
        columns[end:] = header[end:]
        return cls(header, tuple(columns), frozenset(range(end, len(header))), format)

    def check(self, *, where: str) -> None:
        """Refuse a file that brings a column of Lakegate's own.

        Raises:
            DataRejected: It does.
        """
        own = {ROW, RECORD, *([RESCUED] if self.rescues else [])}
        own |= {nested_marker(name).lower() for name, _ in self.format.nested}
        own |= {plain_column(name).lower() for name, _ in self.format.typed}
        if found := own & {name.lower() for name in self.columns}:
            what = f"the header names a column {min(found)}, which is Lakegate's own"
            fix = "rename the column in the delivery, or give a column of the contract this physicalName"
            raise DataRejected(what, where=where, fix=fix)

    @property
    def distinct(self) -> bool:
        """Whether no column comes twice, so that the file can be staged."""
        named = [name for place, name in enumerate(self.columns) if place not in self.unnamed]
        return len(set(named)) == len(named)

    @property
    def rescues(self) -> bool:
        """Whether the columns that the contract doesn't name are staged together, as `_rescued`."""
        return self.format.known is not None

    @cached_property
    def nested(self) -> list[tuple[str, Nested]]:
        """The columns of JSON."""
        columns = set(self.columns)
        return [item for item in self.format.nested if item[0] in columns]

    @cached_property
    def typed(self) -> list[tuple[str, ColumnType]]:
        """The columns whose plain values are typed."""
        columns = set(self.columns)
        return [item for item in self.format.typed if item[0] in columns]

    def brings(self, filled: Collection[int]) -> tuple[str, ...]:
        """The columns that count, where these of the unnamed places hold something."""
        empty = self.unnamed.difference(filled)
        return tuple(name for place, name in enumerate(self.columns) if place not in empty)

    @cached_property
    def _places(self) -> list[int]:
        """The places of the columns that are staged under their own names."""
        if self.format.known is not None:
            known = set(self.format.known)
            return [place for place, name in enumerate(self.columns) if name in known]
        named = [place for place in range(len(self.columns)) if place not in self.unnamed]
        return [place for place in named if not self.columns[place].startswith(UNCLAIMED)]

    @property
    def staged(self) -> list[tuple[str, pa.DataType]]:
        """Names and types of the columns of what `apply` gives."""
        texts = [self.columns[place] for place in self._places] + [RESCUED] * self.rescues
        texts += [nested_marker(name) for name, _ in self.nested]
        plain = [(plain_column(name), PLAIN[kind].type) for name, kind in self.typed]
        return [*((name, pa.string()) for name in texts), *plain]

    def apply(self, table: pa.Table) -> pa.Table:
        """Rows of text in the header's order, as they are staged."""
        names = [self.columns[place] for place in self._places]
        staged = table.select(self._places).rename_columns(names)
        if self.rescues:
            others = sorted(set(range(len(self.columns))).difference(self._places))
            members = [(self.header[place], table.column(place)) for place in others]
            staged = staged.append_column(RESCUED, json_objects(members, table.num_rows))
        for name, nested in self.nested:
            staged = staged.append_column(nested_marker(name), judge_nested(staged.column(name), nested))
        return part_plain(staged, self.typed)

    def filled(self, table: pa.Table) -> set[int]:
        """The unnamed places where a row of text holds something."""
        return {place for place in self.unnamed if table.column(place).null_count < table.num_rows}


def delivered(shape: Shape | None) -> list[tuple[str, str | None]]:
    """Each text of a delivery's header, in its own order, and the column that it brings, if any."""
    if shape is None:
        return []
    names = (None if name.startswith(UNCLAIMED) else name for name in shape.columns)
    return list(zip(shape.header, names, strict=True))
