"""Values in plain spelling, typed by Arrow while a file is parsed; every other text is left to the engine.

Plain is a part of what a type accepts (`expectations.spellings`) that Arrow reads as the engines do: digits,
a point, a minus; a date; a UTC timestamp of whole seconds. An engine needs a pattern and a cast for each
value, ten times the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from catalog.contract import ColumnType
from expectations.typed_frame import plain_column

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Spelling:
    """Texts that are plain for a type: `shortest` to `longest` bytes, digits and `signs` or `fixed` bytes.

    What Arrow then refuses (a second point, a thirteenth month), and what lies before the `least` value,
    sends the whole array to the engine. No text that is plain is greater than a type's last value.
    """

    type: pa.DataType
    shortest: int
    longest: int
    signs: bytes = b""
    fixed: tuple[tuple[int, int], ...] = ()
    least: int | None = None


ZERO: Final = np.uint8(ord("0"))
FIRST: Final = (date.min - date(1970, 1, 1)).days
MICROS: Final = 86_400_000_000
"""Microseconds of a day."""

PLAIN: Final[dict[ColumnType, Spelling]] = {
    "integer": Spelling(pa.int64(), 1, 18, signs=b"-"),
    "double": Spelling(pa.float64(), 1, 40, signs=b"-."),
    "date": Spelling(pa.date32(), 10, 10, least=FIRST),
    "timestamp": Spelling(
        pa.timestamp("us", "UTC"), 20, 20, fixed=((10, ord("T")), (19, ord("Z"))), least=FIRST * MICROS
    ),
}
"""Of 20 bytes and with these two, Arrow reads YYYY-MM-DDThh:mm:ssZ alone."""


class Typed(NamedTuple):
    """`values` of the texts in plain spelling, and the `others` as text; at least one of the two is NULL."""

    values: pa.Array
    others: pa.Array


def type_plain(texts: pa.Array, kind: ColumnType) -> Typed:
    """Part texts into typed values and what is not plain; `kind` is one of PLAIN."""
    spelling, count = PLAIN[kind], len(texts)
    texts = pa.concat_arrays([texts, texts[:0]]) if texts.offset else texts
    other = _not_plain(texts, spelling)
    plain, others = texts, pa.nulls(count, pa.string())
    if other.any():
        chosen = ~other if not texts.null_count else ~other & texts.is_valid().to_numpy(zero_copy_only=False)
        plain = pa.Array.from_buffers(pa.string(), count, [_bitmap(chosen), *texts.buffers()[1:]])
        mask = pa.Array.from_buffers(pa.bool_(), count, [None, _bitmap(other)])
        others = pc.if_else(mask, texts, pa.scalar(None, pa.string()))
    try:
        values = pc.cast(plain, spelling.type)
    except pa.ArrowInvalid:
        return Typed(pa.nulls(count, spelling.type), texts)
    if spelling.least is not None:  # compared as numbers: a scalar of a time would import pandas
        found = pc.min(values.view(pa.int32() if pa.types.is_date32(values.type) else pa.int64())).as_py()
        if found is not None and found < spelling.least:
            return Typed(pa.nulls(count, spelling.type), texts)
    return Typed(values, others)


def part_plain(table: pa.Table, typed: Sequence[tuple[str, ColumnType]]) -> pa.Table:
    """A table of text; the plain values of its `typed` columns move to columns of their own."""
    for name, kind in typed:
        values, others = type_plain(table.column(name).combine_chunks(), kind)
        table = table.set_column(table.schema.get_field_index(name), name, others)
        table = table.append_column(plain_column(name), values)
    return table


def _not_plain(texts: pa.Array, spelling: Spelling) -> Bools:
    """Which texts are neither plain nor NULL, as far as their bytes show it."""
    _, offsets, content = texts.buffers()
    if content is None or not len(texts):
        return np.zeros(len(texts), np.bool_)
    bounds = np.frombuffer(offsets, np.int32)[: len(texts) + 1]
    data = np.frombuffer(content, np.uint8)
    length = np.diff(bounds)
    fits = (length >= spelling.shortest) & (length <= spelling.longest)
    start = bounds[:-1][fits]
    for place, byte in spelling.fixed:
        fits[fits] = data[start + place] == byte
        start = bounds[:-1][fits]
    if spelling.signs:
        used = data[bounds[0] : bounds[-1]]
        odd = used - ZERO > 9  # noqa: PLR2004  (below, it wraps around)
        for sign in spelling.signs:
            odd &= used != sign
        fits[np.searchsorted(bounds, np.flatnonzero(odd) + bounds[0], side="right") - 1] = False
    if texts.null_count:
        fits |= texts.is_null().to_numpy(zero_copy_only=False)
    return ~fits


def _bitmap(values: Bools) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))
