"""Values of columns that a contract doesn't name, stored per row as one canonical JSON text (RFC 8785).

Made in Arrow while the file is parsed: engines print JSON differently, and a replay parses the record again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

_CONTROL: Final = "".join(map(chr, range(1, 0x20)))
"""Characters that JSON escapes, besides backslash and quote; a record with NUL is unreadable."""


def json_objects(members: Sequence[tuple[str, Any]], rows: int) -> Any:
    """A JSON object for each of `rows`: the values of named columns; NULL where all of them are NULL."""
    if not members:
        return pa.nulls(rows, pa.string())
    # The RFC orders members by their names in UTF-16.
    ordered = sorted(members, key=lambda member: member[0].encode("utf-16-be"))
    # Arrow's own way to skip NULLs while joining loses the rows in which all are.
    joined = pc.binary_join_element_wise(*(_member(name, values) for name, values in ordered), "")
    inner = pc.utf8_slice_codeunits(joined, start=1)
    filled = pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), inner)
    return pc.binary_join_element_wise("{", filled, "}", "")


def _member(name: str, values: Any) -> Any:
    """`,"name":"value"` of each value; nothing where it is NULL."""
    for character in '\\"':
        values = pc.replace_substring(values, character, f"\\{character}")
    if pc.any(pc.match_substring_regex(values, r"[\x01-\x1f]")).as_py():
        for character in _CONTROL:
            values = pc.replace_substring(values, character, json.dumps(character)[1:-1])
    named = pc.binary_join_element_wise(f',{json.dumps(name, ensure_ascii=False)}:"', values, '"', "")
    return pc.fill_null(named, "")
