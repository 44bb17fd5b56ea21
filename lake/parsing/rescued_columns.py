"""Values of columns that a contract doesn't name, kept per row as one canonical JSON text (RFC 8785).

Made in Arrow while the file is parsed: engines print JSON differently, and a replay parses the record again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from catalog.contract import RESCUED

_CONTROL: Final = "".join(map(chr, range(1, 0x20)))
"""Characters that JSON escapes, besides backslash and quote; a record with NUL is unreadable."""


@dataclass(frozen=True)
class Rescue:
    """Which of a file's columns are kept as they are (`kept`), and which become members of the JSON object (`others`).

    Both are places in the file's header; members have its names, and stand in their order in UTF-16, as the RFC has it.
    """

    kept: tuple[int, ...]
    others: tuple[int, ...]
    header: tuple[str, ...]
    names: tuple[str, ...]
    """Of the columns that each place brings."""

    @classmethod
    def of(cls, names: Sequence[str], known: Sequence[str], header: Sequence[str] | None = None) -> Rescue:
        """For the columns that a file brings, the columns that the contract names, and the file's header where it is another text."""
        header = tuple(names if header is None else header)
        wanted = set(known)
        kept = tuple(place for place, name in enumerate(names) if name in wanted)
        others = sorted(
            set(range(len(names))) - set(kept), key=lambda place: header[place].encode("utf-16-be")
        )
        return cls(kept, tuple(others), header, tuple(names))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of what `apply` gives."""
        return (*(self.names[place] for place in self.kept), RESCUED)

    def apply(self, table: pa.Table) -> pa.Table:
        """Rows of text in the header's order, as the known columns and `_rescued`: NULL where every other column is NULL."""
        return pa.Table.from_arrays(
            [*(table.column(place) for place in self.kept), self._rescued(table)], list(self.columns)
        )

    def _rescued(self, table: pa.Table) -> Any:
        if not self.others:
            return pa.nulls(table.num_rows, pa.string())
        members = [_member(self.header[place], table.column(place)) for place in self.others]
        # Arrow's own way to skip NULLs while joining loses the rows in which all are.
        joined = pc.binary_join_element_wise(*members, "")
        held = pc.if_else(
            pc.equal(joined, ""), pa.scalar(None, pa.string()), pc.utf8_slice_codeunits(joined, start=1)
        )
        return pc.binary_join_element_wise("{", held, "}", "")


def _member(name: str, values: Any) -> Any:
    """`,"name":"value"` of each value; nothing where it is NULL."""
    for character in '\\"':
        values = pc.replace_substring(values, character, f"\\{character}")
    if pc.any(pc.match_substring_regex(values, r"[\x01-\x1f]")).as_py():
        for character in _CONTROL:
            values = pc.replace_substring(values, character, json.dumps(character)[1:-1])
    return pc.fill_null(
        pc.binary_join_element_wise(f',{json.dumps(name, ensure_ascii=False)}:"', values, '"', ""), ""
    )
