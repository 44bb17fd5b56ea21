"""A plain delimited file becomes a staging file of text and plain values, and an exact list of what could not be read.

The splitter says how many records there are; pyarrow.csv reads those that can be read, block by block and several at once.
Where the two disagree the records are halved until the one at fault stands alone, so none is lost or merged with its neighbour in
silence.
"""

from __future__ import annotations

import mmap
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from catalog.contract import RESCUED, FileFormat
from expectations.typed_frame import ROW
from lake.parsing.column_mapping import Shape
from lake.parsing.csv.header import read_header
from lake.parsing.csv.reader import RecordReader
from lake.parsing.csv.record_splitter import Buffer, Bytes, Reason, Split, split_blocks
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
    """Parse a plain file and stage its readable records in `into` (see `lake.parsing.staging_file`); memory stays bounded whatever its size.

    Raises:
        DataRejected: It doesn't look like delimited text with a header.
        ContractError: The contract's delimiter is not one ASCII character.
        IntegrityError: Records or bytes don't add up.
    """
    if len(format.delimiter) != 1 or not format.delimiter.isascii() or format.delimiter in '"\r\n\0':
        raise ContractError(
            "the delimiter must be one ASCII character, no quote or line end",
            fix="correct it in the contract",
        )
    tally = _Tally()
    try:
        with path.open("rb") as file:
            # Never closed by hand: numpy and Arrow look into it, and the last of them lets go of it.
            data: Buffer = (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
            )
        for part, reasons, tables in _read_blocks(data, format, tally, path, into):
            tally.add_records(part, reasons, tables)
        tally.close()
        return replace(tally.result(len(data), path, into), ended=data[-1:] in (b"", b"\n", b"\r"))
    except BaseException:
        with suppress(OSError):
            tally.close()
        for made in (into, _bounds_of(into)):
            made.unlink(missing_ok=True)
        raise


def _read_blocks(
    data: Buffer,
    format: FileFormat,  # noqa: A002
    tally: _Tally,
    path: Path,
    into: Path,
) -> Iterator[tuple[Split, Bytes, list[pa.Table]]]:
    """Every block with records, in order, with a reason per record and the tables of the readable ones."""
    reader: RecordReader | None = None
    waiting: deque[tuple[Split, Future[tuple[Bytes, list[pa.Table]]]]] = deque()
    with ThreadPoolExecutor(READERS) as pool:
        for part in split_blocks(data, delimiter=format.delimiter, max_lines=format.max_lines):
            tally.add_part(part)
            if part.header is not None:
                tally.begin(
                    read_header(data, part.header, format, where=path.name), format, into, where=path.name
                )
                reader = RecordReader(len(tally.header), format)
            if len(part) and reader is not None:
                waiting.append((part, pool.submit(_read, reader, tally, data, part)))
            if len(waiting) > READERS:
                block, read = waiting.popleft()
                yield block, *read.result()
        for block, read in waiting:
            yield block, *read.result()


def _read(reader: RecordReader, tally: _Tally, data: Buffer, part: Split) -> tuple[Bytes, list[pa.Table]]:
    reasons, tables = reader.read(data, part)
    if tally.shape is None:
        return reasons, tables
    for table in tables if tally.shape.unnamed else ():
        tally.filled.update(tally.shape.filled(table))
    return reasons, [tally.shape.apply(table) for table in tables] if tally.writer else tables


@dataclass
class _Tally:
    """What was found so far, and the staging file that it goes to."""

    header: tuple[str, ...] = ()
    records: int = 0
    readable: int = 0
    blank: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    account: Counter[str] = field(default_factory=Counter)
    writer: StagingWriter | None = None
    bounds: BinaryIO | None = None
    shape: Shape | None = None
    filled: set[int] = field(default_factory=set)
    """Columns without a name at the header's end that hold something."""
    rescued: int = 0

    def begin(self, header: tuple[str, ...], format: FileFormat, into: Path, *, where: str) -> None:  # noqa: A002
        self.header, self.shape = header, Shape.of(header, format)
        self.shape.check(where=where)
        if self.shape.distinct:
            schema = pa.schema([*self.shape.staged, (ROW, pa.int64())])
            self.writer = StagingWriter(into, schema)
            self.bounds = _bounds_of(into).open("wb")

    @property
    def rescues(self) -> bool:
        return self.writer is not None and self.shape is not None and self.shape.rescue is not None

    def add_part(self, part: Split) -> None:
        self.blank += part.blank
        self.account.update(part.account())

    def add_records(self, part: Split, reasons: Bytes, tables: list[pa.Table]) -> None:
        bad = np.flatnonzero(reasons)
        good = np.flatnonzero(reasons == 0)
        for index in bad[: MAX_LISTED - len(self.unreadable)].tolist():
            reason = Reason(int(reasons[index])).name.lower()
            self.unreadable.append(
                Unreadable(self.records + index + 1, int(part.start[index]), int(part.end[index]), reason)
            )
        for code, count in zip(*np.unique(reasons[bad], return_counts=True), strict=True):
            self.reasons[Reason(int(code)).name.lower()] += int(count)
        found = pa.concat_tables(tables) if tables else None
        self.readable += found.num_rows if found else 0
        self.rescued += found.num_rows - found.column(RESCUED).null_count if found and self.rescues else 0
        if self.writer is not None and found:
            self.writer.write([*found.columns, int64(good + self.records + 1)])
        if self.bounds is not None:
            self.bounds.write(np.column_stack([part.start, part.end]).tobytes())
        self.records += len(part)

    def close(self) -> None:
        for file in (self.writer, self.bounds):
            if file is not None:
                file.close()

    def result(self, size: int, path: Path, into: Path) -> Parsed:
        unreadable = self.reasons.total()
        if self.readable + unreadable != self.records or self.account.total() != size:
            what = (
                f"{self.records} records != {self.readable} readable + {unreadable} unreadable,"
                f" or {size} bytes != {self.account.total()} accounted for"
            )
            raise IntegrityError(
                what,
                where=path.name,
                fix="report this as a bug of Lakegate, with the file if it may be shared",
            )
        staged = self.writer is not None
        found = Parsed(
            self.shape.brings(self.filled) if self.shape else (),
            self.records,
            self.readable,
            tuple(self.unreadable),
            unreadable,
            dict(self.reasons),
            into if staged else None,
            dict(self.account),
            self.blank,
            ByteRanges(path, _bounds_of(into)) if staged else None,
            self.rescued if self.rescues else None,
            self.shape,
        )
        return replace(found, unreadable_message=unreadable_message(found, path))


def _bounds_of(staging: Path) -> Path:
    return staging.with_suffix(".bounds")
