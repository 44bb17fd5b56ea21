"""pyarrow.csv reads the records that the splitter found, and is held to their count.

Where the two disagree, the records are halved until the one at fault is by itself: none is lost or merged in
silence.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from catalog.contract import FileFormat
from lake.parsing.csv.lines import Bools, Buffer, Bytes, Ints
from lake.parsing.csv.reasons import Reason
from lake.parsing.csv.record_splitter import Split

ASCII_END = 0x80


class RecordReader:
    """pyarrow.csv over chosen records of a block."""

    def __init__(self, columns: int, format: FileFormat) -> None:  # noqa: A002
        self.names = [str(number) for number in range(columns)]
        self.delimiter = format.delimiter
        # Ends every text with a record of too many fields: an open quote would swallow it, even in the last
        # record.
        self.sentinel = format.delimiter.encode() * columns
        # The same where no record should be at fault: a record like others, for which pyarrow makes no call.
        self.last = format.delimiter.encode() * (columns - 1) or b"0"
        self.convert = pa_csv.ConvertOptions(
            default_column_type=pa.string(),
            null_values=list(format.null_values),
            strings_can_be_null=bool(format.null_values),
        )

    def read(self, data: Buffer, part: Split) -> tuple[Bytes, list[pa.Table]]:
        """A reason per record, and the readable ones in order."""
        reasons = part.reason.copy()
        if not reasons.all():
            reasons[_with_nul(data, part) & (reasons == 0)] = Reason.NUL
        if not len(chosen := np.flatnonzero(reasons == 0)):
            return reasons, []
        if (table := self._all_of(data, part, chosen)) is not None:  # pyarrow has decoded every value
            return reasons, [table]
        reasons[_undecodable(data, part) & (reasons == 0)] = Reason.ENCODING
        return reasons, self._agreed(data, part, np.flatnonzero(reasons == 0), reasons)

    def _all_of(self, data: Buffer, part: Split, chosen: Ints) -> pa.Table | None:
        """The table of the chosen records, where pyarrow reads each of them as one record."""
        with suppress(pa.ArrowInvalid):
            table = self._table(_cut(data, part, chosen, self.last))
            if table.num_rows == len(chosen) + 1:
                return table.slice(0, len(chosen))
        return None

    def _agreed(self, data: Buffer, part: Split, chosen: Ints, reasons: Bytes) -> list[pa.Table]:
        """The tables of the chosen records; those that pyarrow can't read as one record each get a reason."""
        if not len(chosen):
            return []
        try:
            table, ragged = self._parse(_cut(data, part, chosen, self.sentinel))
        except pa.ArrowInvalid:
            table, ragged = None, [0]
        if table is not None and table.num_rows + len(ragged) == len(chosen) + 1 == ragged[-1]:
            reasons[chosen[np.array(ragged[:-1], np.int64) - 1]] = Reason.FIELDS
            return [table] if table.num_rows else []
        if len(chosen) == 1:
            reasons[chosen] = Reason.QUOTING
            return []
        half = len(chosen) // 2
        halves = (chosen[:half], chosen[half:])
        return [table for records in halves for table in self._agreed(data, part, records, reasons)]

    def _parse(self, text: pa.Buffer) -> tuple[pa.Table, list[int]]:
        ragged: list[int] = []

        def skip(row: pa_csv.InvalidRow) -> str:
            ragged.append(row.number)
            return "skip"

        return self._table(text, skip), ragged

    def _table(self, text: pa.Buffer, skip: Callable[[pa_csv.InvalidRow], str] | None = None) -> pa.Table:
        # pyarrow numbers rows on one thread only, and a block that it cut in two could be cut in a quoted
        # field.
        read = pa_csv.ReadOptions(use_threads=False, block_size=text.size + 1, column_names=self.names)
        parse = pa_csv.ParseOptions(
            delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=skip
        )
        return pa_csv.read_csv(pa.BufferReader(text), read, parse, self.convert)


def _cut(data: Buffer, part: Split, chosen: Ints, sentinel: bytes) -> pa.Buffer:
    """The runs of neighbours among the chosen records, and the sentinel behind them."""
    gaps = np.flatnonzero(np.diff(chosen) != 1)
    starts = part.start[chosen[np.concatenate([[0], gaps + 1])]]
    ends = part.end[chosen[np.append(gaps, len(chosen) - 1)]]
    view = memoryview(data)
    runs = (view[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
    # pyarrow drops a BOM, which here is data; behind an empty line it doesn't look for one.
    return pa.py_buffer(b"\n".join([b"", *runs, sentinel]))


def _with_nul(data: Buffer, part: Split) -> Bools:
    first, last = int(part.start[0]), int(part.end[-1])
    if data.find(b"\0", first, last) < 0:
        return np.zeros(len(part), np.bool_)
    return _holding(part, np.flatnonzero(np.frombuffer(data, np.uint8, last - first, first) == 0) + first)


def _undecodable(data: Buffer, part: Split) -> Bools:
    first, last = int(part.start[0]), int(part.end[-1])
    raw = np.frombuffer(data, np.uint8, last - first, first)
    bad = np.zeros(len(part), np.bool_)
    if not (high := raw >= ASCII_END).any() or _decodes(raw):
        return bad
    for index in np.flatnonzero(_holding(part, np.flatnonzero(high) + first)).tolist():
        bad[index] = not _decodes(raw[part.start[index] - first : part.end[index] - first])
    return bad


def _decodes(raw: Bytes) -> bool:
    try:
        str(raw.data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _holding(part: Split, positions: Ints) -> Bools:
    """Which records hold one of these bytes; none of them is a line end's."""
    mask = np.zeros(len(part), np.bool_)
    mask[np.searchsorted(part.end, positions, side="right")] = True
    return mask
