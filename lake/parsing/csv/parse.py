"""A plain delimited file becomes a staging file, and an exact list of the records that can't be read.

The splitter says how many records there are; pyarrow.csv reads those that can be read, block by block and
several at once (`reader`). What they found is added up, and has to be every record and every byte of the
file.
"""

from __future__ import annotations

import mmap
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from catalog.contract import RESCUED, FileFormat
from expectations.typed_frame import ROW
from lake.parsing.column_mapping import Shape
from lake.parsing.csv.header import read_header
from lake.parsing.csv.lines import Buffer, Bytes
from lake.parsing.csv.reader import RecordReader
from lake.parsing.csv.reasons import Reason
from lake.parsing.csv.record_splitter import Split, split_blocks
from lake.parsing.csv.unreadable import unreadable_message
from lake.parsing.parsed import Parsed, Unreadable
from lake.parsing.source_records import ByteRanges
from lake.parsing.staging_file import StagingWriter, int64
from lakegate.errors import ContractError, IntegrityError

READERS: Final = 2
"""Blocks that are read while the next one is split."""
MAX_LISTED: Final = 10_000
"""Unreadable records that are listed one by one; the count is always exact."""


def parse(path: Path, format: FileFormat, *, into: Path) -> Parsed:  # noqa: A002
    """Parse a plain file and stage its readable records; memory stays bounded whatever its size.

    Args:
        path: The unpacked file.
        format: How it is to be read.
        into: The staging file that is written (see `lake.parsing.staging_file`).

    Raises:
        DataRejected: It doesn't look like delimited text with a header.
        ContractError: The contract's delimiter is not one ASCII character.
        IntegrityError: Records or bytes don't add up.
    """
    if len(format.delimiter) != 1 or not format.delimiter.isascii() or format.delimiter in '"\r\n\0':
        what = "the delimiter must be one ASCII character, no quote or line end"
        raise ContractError(what, fix="correct it in the contract")
    tally = _Tally(path, format, into)
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            # Never closed by hand: numpy and Arrow look into it, and the last of them lets go of it.
            data: Buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        for part, reasons, tables in _read_blocks(data, tally):
            tally.add_records(part, reasons, tables)
        tally.close()
        return tally.result(data)
    except BaseException:
        with suppress(OSError):
            tally.close()
        for made in (into, tally.bounds_path):
            made.unlink(missing_ok=True)
        raise


def _read_blocks(data: Buffer, tally: _Tally) -> Iterator[tuple[Split, Bytes, list[pa.Table]]]:
    """Every block with records, in order, with a reason per record and the tables of the readable ones."""
    waiting: deque[tuple[Split, Future[tuple[Bytes, list[pa.Table]]]]] = deque()
    delimiter, max_lines = tally.format.delimiter, tally.format.max_lines
    with ThreadPoolExecutor(READERS) as pool:
        for part in split_blocks(data, delimiter=delimiter, max_lines=max_lines):
            tally.add_part(part)
            if part.header is not None:
                shape = tally.begin(data, part.header)
                reader = RecordReader(len(shape.header), tally.format)
            if len(part):  # the header came before
                waiting.append((part, pool.submit(_read, reader, shape, tally, data, part)))
            if len(waiting) > READERS:
                block, read = waiting.popleft()
                yield block, *read.result()
        for block, read in waiting:
            yield block, *read.result()


def _read(
    reader: RecordReader, shape: Shape, tally: _Tally, data: Buffer, part: Split
) -> tuple[Bytes, list[pa.Table]]:
    reasons, tables = reader.read(data, part)
    for table in tables if shape.unnamed else ():
        tally.filled.update(shape.filled(table))
    return reasons, [shape.apply(table) for table in tables] if tally.writer else tables


@dataclass
class _Tally:
    """What was found of a file so far, and the staging file that it goes to."""

    path: Path
    format: FileFormat
    into: Path
    records: int = 0
    readable: int = 0
    blank: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    account: Counter[str] = field(default_factory=Counter)
    shape: Shape | None = None
    writer: StagingWriter | None = None
    """None where there is no header, or it names a column twice."""
    bounds: BinaryIO | None = None
    filled: set[int] = field(default_factory=set)
    """Places at the header's end without a name that hold something."""
    rescued: int | None = None

    @property
    def bounds_path(self) -> Path:
        return self.into.with_suffix(".bounds")

    def begin(self, data: Buffer, header: tuple[int, int]) -> Shape:
        """Read the header, and open the staging file where its columns can be staged."""
        names = read_header(data, header, self.format, where=self.path.name)
        self.shape = Shape.of(names, self.format)
        self.shape.check(where=self.path.name)
        if self.shape.distinct:
            self.writer = StagingWriter(self.into, pa.schema([*self.shape.staged, (ROW, pa.int64())]))
            self.bounds = self.bounds_path.open("wb")
            self.rescued = 0 if self.shape.rescues else None
        return self.shape

    def add_part(self, part: Split) -> None:
        self.blank += part.blank
        self.account.update(part.account())

    def add_records(self, part: Split, reasons: Bytes, tables: list[pa.Table]) -> None:
        bad = np.flatnonzero(reasons)
        for index in bad[: MAX_LISTED - len(self.unreadable)].tolist():
            row, start, end = self.records + index + 1, int(part.start[index]), int(part.end[index])
            self.unreadable.append(Unreadable(row, start, end, _name(reasons[index])))
        for code, count in zip(*np.unique(reasons[bad], return_counts=True), strict=True):
            self.reasons[_name(code)] += int(count)
        if tables:
            found = pa.concat_tables(tables)
            self.readable += sum(table.num_rows for table in tables)  # `found` has none without a column
            if self.rescued is not None:
                self.rescued += found.num_rows - found.column(RESCUED).null_count
            if self.writer is not None:
                good = np.flatnonzero(reasons == 0)
                self.writer.write([*found.columns, int64(good + self.records + 1)])
        if self.bounds is not None:
            self.bounds.write(np.column_stack([part.start, part.end]).tobytes())
        self.records += len(part)

    def close(self) -> None:
        for file in (self.writer, self.bounds):
            if file is not None:
                file.close()

    def result(self, data: Buffer) -> Parsed:
        unreadable, message = self.reasons.total(), ""
        if self.readable + unreadable != self.records or self.account.total() != len(data):
            what = f"{self.records} records != {self.readable} readable + {unreadable} unreadable,"
            what += f" or {len(data)} bytes != {self.account.total()} accounted for"
            fix = "report this as a bug of Lakegate, with the file if it may be shared"
            raise IntegrityError(what, where=self.path.name, fix=fix)
        staged = self.writer is not None
        if unreadable:
            first, shape = self.unreadable[0], self.shape if staged else None
            message = unreadable_message(first, self.reasons, self.path, shape=shape)
        return Parsed(
            columns=self.shape.brings(self.filled) if self.shape else (),
            records=self.records,
            readable=self.readable,
            unreadable=tuple(self.unreadable),
            unreadable_count=unreadable,
            reasons=dict(self.reasons),
            staging=self.into if staged else None,
            account=dict(self.account),
            blank=self.blank,
            originals=ByteRanges(self.path, self.bounds_path) if staged else None,
            rescued=self.rescued,
            shape=self.shape,
            ended=data[-1:] in (b"", b"\n", b"\r"),
            unreadable_message=message,
        )


def _name(code: int) -> str:
    return Reason(int(code)).name.lower()
