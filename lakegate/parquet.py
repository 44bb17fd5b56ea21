"""Parquet files of any Delta writer, read as one schema: the manifest's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from lakegate.ahead import Call, ahead
from lakegate.errors import IntegrityError
from lakegate.manifest import DataFile
from lakegate.proved import AT_ONCE, Proved, Prover, Span
from lakegate.ranges import Read
from lakegate.window import Window

BATCH_ROWS = 64 * 1024
"""Rows per batch: some tens of megabytes of a wide table, and few enough batches that their handling costs nothing."""

PROVENANCE = {"_drop": pa.string(), "_row": pa.int64()}
"""Where each row came from: the drop's identity and the record's number in it."""

TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
"""A manifest's types in Arrow. Whatever a Delta writer chose for a file (large strings, nanoseconds), a reader gets these."""

_FIX = "`lakegate verify` says whether the file or its manifest is damaged"
_TAIL = 8
"""Bytes at the end of a file: the length of its footer, and a mark."""


@dataclass(frozen=True)
class Group:
    """A row group, with the proved bytes of the columns that are wanted."""

    of: Proved
    metadata: pq.FileMetaData
    number: int
    wanted: list[str]
    at_hand: pa.NativeFile

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows as the file has them; after its last group the file is closed.

        Raises:
            IntegrityError: They are not as many as the file says, or it is no Parquet of these types.
        """
        rows, where = 0, self.of.where
        try:
            file = pq.ParquetFile(
                self.at_hand,
                metadata=self.metadata,
                page_checksum_verification=True,
                coerce_int96_timestamp_unit="us",
                pre_buffer=False,
            )
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[self.number], columns=self.wanted):
                rows += batch.num_rows
                yield batch
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(error, where=where) from None
        _demand_rows(self.metadata.row_group(self.number).num_rows, rows, where=where)
        if self.number == self.metadata.num_row_groups - 1:
            self.of.close()


@dataclass(frozen=True)
class Opened:
    """A file whose footer is proved."""

    source: Proved
    metadata: pq.FileMetaData
    wanted: list[str]

    @classmethod
    def of(cls, source: Proved, names: Sequence[str]) -> Opened:
        """The file, with the columns of these names that it has.

        Raises:
            IntegrityError: It has other rows than the manifest says, or is no Parquet.
        """
        file, where = source.file, source.where
        try:
            metadata = pq.read_metadata(pa.BufferReader(footer(source.read, file.size)))
            present = metadata.schema.to_arrow_schema().names
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(error, where=where) from None
        _demand_rows(file.rows, metadata.num_rows, where=where)
        _demand_rows(
            file.rows,
            sum(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)),
            where=where,
        )
        if lost := [name for name in names if name not in present and f"/{name}=" in f"/{file.path}"]:
            what = f"column {lost[0]} lies in the path, not in the file"
            fix = "publish the table unpartitioned by it; reading it from the path would guess its type"
            raise IntegrityError(what, where=where, fix=fix)
        return cls(source, metadata, [name for name in names if name in present])

    def groups(self) -> Iterator[Call[Group]]:
        """What fetches and proves each row group, with the bytes that it takes up."""
        if not self.metadata.num_row_groups:
            self.source.close()
        for number in range(self.metadata.num_row_groups):
            spans = [
                (start, stop)
                for name, start, stop in chunks(self.metadata, number)
                if _of_one(name, self.wanted)
            ]
            yield sum(stop - start for start, stop in spans), partial(self._group, number, spans)

    def _group(self, number: int, spans: Sequence[Span]) -> Group:
        if self.source.content is not None:
            return Group(
                self.source, self.metadata, number, self.wanted, pa.BufferReader(self.source.content)
            )
        at_hand = pa.PythonFile(Window(self.source, self.source.hold(spans), shared=True), "r")
        return Group(self.source, self.metadata, number, self.wanted, at_hand)


def read_groups(prover: Prover, files: Sequence[DataFile], names: Sequence[str]) -> Iterator[Group]:
    """The row groups of files, each with the columns of these names that it has; some are fetched ahead.

    Raises:
        IntegrityError: A file has other rows than the manifest says, or is no Parquet, or not what was published.
        Transient: The store doesn't answer.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        opened = ahead(pool, ((prover.at_once(file), partial(_open, prover, file, names)) for file in files))
        yield from ahead(pool, (call for one in opened for call in one.groups()))


def prove_columns(prover: Prover, file: DataFile, names: Sequence[str]) -> None:
    """Prove the footer of a file and the bytes of columns, and read no value; a file that is hashed as a whole is proved by that.

    Raises:
        IntegrityError: It is not what was published.
        Transient: The store doesn't answer.
    """
    with prover.open(file) as source:
        if source.content is None:
            for _, fetch in Opened.of(source, names).groups():
                fetch()


def _open(prover: Prover, file: DataFile, names: Sequence[str]) -> Opened:
    return Opened.of(prover.open(file), names)


def footer(read: Read, size: int) -> memoryview:
    """What a Parquet file ends with; of one that is none, anything.

    The bytes are asked for from where it begins, so no range before it is.
    """
    tail = read(max(size - _TAIL, 0), size)
    length = int.from_bytes(tail[: _TAIL // 2], "little") + _TAIL
    return read(max(size - length, 0), size)


def chunks(metadata: pq.FileMetaData, number: int) -> Iterator[tuple[str, int, int]]:
    """The columns of a row group, each with where its bytes begin and end."""
    group = metadata.row_group(number)
    for index in range(group.num_columns):
        column = group.column(index)
        starts = [at for at in (column.dictionary_page_offset, column.data_page_offset) if at]
        yield (
            column.path_in_schema,
            min(starts, default=0),
            min(starts, default=0) + column.total_compressed_size,
        )


def conform(batch: pa.RecordBatch, schema: pa.Schema, *, where: str) -> pa.RecordBatch:
    """The same rows with exactly these columns and types.

    Raises:
        IntegrityError: The file has other types than the manifest says.
    """
    try:
        return pa.RecordBatch.from_arrays(
            [_column(batch, wish, where=where) for wish in schema], schema=schema
        )
    except pa.ArrowException as error:
        raise _unreadable(error, where=where) from None


def _of_one(name: str, columns: Sequence[str]) -> bool:
    """Whether a part of the file belongs to one of these columns, which may be lists."""
    return any(name == column or name.startswith(f"{column}.") for column in columns)


def _unreadable(error: Exception, *, where: str) -> IntegrityError:
    # Arrow's own text may quote a value, so neither it nor its traceback goes on.
    what = f"the file can't be read as Parquet of the manifest's types ({type(error).__name__})"
    return IntegrityError(what, where=where, fix=_FIX)


def _column(batch: pa.RecordBatch, wish: pa.Field, *, where: str) -> pa.Array:
    """One column in the manifest's type; NULLs where the file is older than the column, as Delta has it."""
    index = batch.schema.get_field_index(wish.name)
    if index < 0:
        return pa.nulls(batch.num_rows, wish.type)
    found = batch.column(index)
    if _kind(found.type) != _kind(wish.type):
        what = f"column {wish.name} is {found.type}, the manifest says {wish.type}"
        raise IntegrityError(
            what, where=where, fix="reprocess the table; a reader doesn't guess what another type means"
        )
    return found if found.type == wish.type else found.cast(wish.type)


def _kind(kind: pa.DataType) -> str:
    """What a type holds, whatever its width, unit or encoding."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    tests = {
        "integer": pa.types.is_integer,
        "double": pa.types.is_floating,
        "date": pa.types.is_date,
        "timestamp": pa.types.is_timestamp,
    }
    return next((name for name, test in tests.items() if test(kind)), str(kind))


def _demand_rows(expected: int, rows: int, *, where: str) -> None:
    if rows != expected:
        what = f"{expected} rows expected, {rows} found"
        raise IntegrityError(what, where=where, fix=_FIX)
