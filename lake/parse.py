"""A plain delimited file becomes a Parquet staging file of text columns, and an exact list of what could not be read.

The splitter says how many records there are; pyarrow.csv reads those that can be read. Where the two disagree the records
are halved until the one at fault stands alone, so none is lost or merged with its neighbour in silence.
"""

from __future__ import annotations

import mmap
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.contract import FileFormat
from lake.header import read_header
from lake.records import RecordReader, int64, texts
from lake.splitter import Buffer, Bytes, Reason, Split, split_blocks
from lakegate.errors import ContractError, DataRejected, IntegrityError

ROW, RECORD = "_row", "_record"
MAX_LISTED = 10_000
"""Unreadable records that are listed one by one; the count is always exact."""


@dataclass(frozen=True)
class Unreadable:
    """A record that can't be read: its number, its bytes in the file (end excludes the terminator), and why."""

    row: int
    start: int
    end: int
    reason: str


@dataclass(frozen=True)
class Parsed:
    """What a file holds: records = readable + unreadable_count.

    `staging` has one row per readable record: the header's columns as text, `_row` and `_record`; None where there is no
    header or it names a column twice. `unreadable` lists the first 10,000, `reasons` counts all; `account` tells the
    bytes by what they belong to and adds up to the file's size.
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


def parse(path: Path, format: FileFormat, *, into: Path) -> Parsed:  # noqa: A002
    """Parse a plain file and stage its readable records as Parquet in `into`; memory stays bounded whatever its size.

    Raises:
        DataRejected: It doesn't look like delimited text with a header.
        ContractError: The contract's delimiter is not one ASCII character.
        IntegrityError: Records or bytes don't add up.
    """
    if len(format.delimiter) != 1 or not format.delimiter.isascii() or format.delimiter in '"\r\n\0':
        raise ContractError("the delimiter must be one ASCII character, no quote or line end", fix="correct it in the contract")
    tally, reader = _Tally(), None
    try:
        with path.open("rb") as file:
            # Never closed by hand: numpy and Arrow look into it, and the last of them lets go of it.
            data: Buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
        for part in split_blocks(data, delimiter=format.delimiter, max_lines=format.max_lines):
            tally.add_part(part)
            if part.header is not None:
                tally.begin(read_header(data, part.header, format, where=path.name), into, where=path.name)
                reader = RecordReader(len(tally.columns), format)
            if len(part) and reader is not None:
                reasons, tables = reader.read(data, part)
                tally.add_records(data, part, reasons, tables)
        tally.close()
        return tally.result(len(data), into, where=path.name)
    except BaseException:
        with suppress(OSError):
            tally.close()
        into.unlink(missing_ok=True)
        raise


@dataclass
class _Tally:
    """What was found so far, and the staging file that it goes to."""

    columns: tuple[str, ...] = ()
    records: int = 0
    readable: int = 0
    blank: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    account: Counter[str] = field(default_factory=Counter)
    writer: Any = None

    def begin(self, columns: tuple[str, ...], into: Path, *, where: str) -> None:
        self.columns = columns
        if own := {ROW, RECORD} & set(columns):
            what = f"the header names a column {min(own)}, which is Lakegate's own"
            raise DataRejected(what, where=where, fix="rename the column in the delivery")
        if len(set(columns)) == len(columns):
            schema = pa.schema([*((name, pa.string()) for name in columns), (ROW, pa.int64()), (RECORD, pa.string())])
            # A record's text and number hardly repeat: a dictionary of them costs time and saves nothing.
            self.writer = pq.ParquetWriter(into, schema, compression="zstd", compression_level=1, use_dictionary=list(columns))

    def add_part(self, part: Split) -> None:
        self.blank += part.blank
        self.account.update(part.account())

    def add_records(self, data: Buffer, part: Split, reasons: Bytes, tables: list[pa.Table]) -> None:
        bad = np.flatnonzero(reasons)
        good = np.flatnonzero(reasons == 0)
        for index in bad[: MAX_LISTED - len(self.unreadable)].tolist():
            reason = Reason(int(reasons[index])).name.lower()
            self.unreadable.append(Unreadable(self.records + index + 1, int(part.start[index]), int(part.end[index]), reason))
        for code, count in zip(*np.unique(reasons[bad], return_counts=True), strict=True):
            self.reasons[Reason(int(code)).name.lower()] += int(count)
        found = pa.concat_tables(tables) if tables else None
        self.readable += found.num_rows if found else 0
        if self.writer is not None and found:
            rows = int64(good + self.records + 1)
            self.writer.write_table(pa.Table.from_arrays([*found.columns, rows, texts(data, part, good)], schema=self.writer.schema))
        self.records += len(part)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()

    def result(self, size: int, into: Path, *, where: str) -> Parsed:
        unreadable = self.reasons.total()
        if self.readable + unreadable != self.records or self.account.total() != size:
            what = (
                f"{self.records} records != {self.readable} readable + {unreadable} unreadable,"
                f" or {size} bytes != {self.account.total()} accounted for"
            )
            raise IntegrityError(what, where=where, fix="report this as a bug of Lakegate, with the file if it may be shared")
        staging = into if self.writer is not None else None
        listed = tuple(self.unreadable)
        return Parsed(
            self.columns, self.records, self.readable, listed, unreadable, dict(self.reasons), staging, dict(self.account), self.blank
        )
