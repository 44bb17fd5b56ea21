"""Parquet files of any Delta writer, read as one schema: the manifest's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from lakegate.errors import IntegrityError
from lakegate.files.ahead import Call, ahead
from lakegate.files.proved import AT_ONCE, Proved, Prover, Span
from lakegate.files.ranges import Read
from lakegate.files.window import Window
from lakegate.manifest import DataFile

BATCH_ROWS = 64 * 1024
"""Rows per batch: some tens of megabytes of a wide table, and few batches."""

PROVENANCE = {"_drop": pa.string(), "_row": pa.int64()}
"""The origin of each row: its drop's identity and its record's number in it."""

TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
"""A manifest's types in Arrow, which a reader gets whatever a file has (large strings, nanoseconds)."""

_FIX = "`lakegate verify` says whether the file or its manifest is damaged"
_TAIL = 8
"""Bytes at the end of a file: the length of its footer, and a mark."""


@dataclass(frozen=True)
class Group:
    """A row group, with the proved bytes of the wanted columns."""

    of: Proved
    metadata: pq.FileMetaData
    number: int
    wanted: list[str]
    content: pa.NativeFile

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The group's rows in the file's types; after its last group the file is closed.

        Raises:
            IntegrityError: They are not as many as the file says, or it is no Parquet of these types.
        """
        rows, where = 0, self.of.where
        try:
            file = pq.ParquetFile(
                self.content,
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
        groups = range(metadata.num_row_groups)
        for rows in (metadata.num_rows, sum(metadata.row_group(number).num_rows for number in groups)):
            _demand_rows(file.rows, rows, where=where)
        if lost := [name for name in names if name not in present and f"/{name}=" in f"/{file.path}"]:
            what = f"column {lost[0]} lies in the path, not in the file"
            fix = "publish the table unpartitioned by it; reading it from the path would guess its type"
            raise IntegrityError(what, where=where, fix=fix)
        return cls(source, metadata, [name for name in names if name in present])

    def groups(self) -> Iterator[Call[Group]]:
        """The calls that fetch and prove each row group, with the bytes that it takes."""
        if not self.metadata.num_row_groups:
            self.source.close()
        for number in range(self.metadata.num_row_groups):
            found = chunks(self.metadata, number)
            spans = [(start, stop) for name, start, stop in found if _of_one(name, self.wanted)]
            yield sum(stop - start for start, stop in spans), partial(self._group, number, spans)

    def _group(self, number: int, spans: Sequence[Span]) -> Group:
        source = self.source
        if source.content is not None:
            content = pa.BufferReader(source.content)
        else:
            content = pa.PythonFile(Window(source, source.hold(spans), shared=True), "r")
        return Group(source, self.metadata, number, self.wanted, content)


def read_groups(prover: Prover, files: Sequence[DataFile], names: Sequence[str]) -> Iterator[Group]:
    """The row groups of files, each with the columns of these names that it has; some are fetched ahead.

    Raises:
        IntegrityError: A file has other rows than the manifest says, or is no Parquet, or not what was
            published.
        Transient: The store doesn't respond.
    """

    def opened(file: DataFile) -> Opened:
        return Opened.of(prover.open(file), names)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        sources = ahead(pool, ((prover.at_once(file), partial(opened, file)) for file in files))
        yield from ahead(pool, (call for source in sources for call in source.groups()))


def prove_columns(prover: Prover, file: DataFile, names: Sequence[str]) -> None:
    """Prove the footer of a file and the bytes of columns, without reading values.

    A file that is hashed as a whole is proved by `open` already.

    Raises:
        IntegrityError: It is not what was published.
        Transient: The store doesn't respond.
    """
    with prover.open(file) as source:
        if source.content is None:
            for _, fetch in Opened.of(source, names).groups():
                fetch()


def footer(read: Read, size: int) -> memoryview:
    """The footer of a Parquet file, without a byte before it; any bytes of another file."""
    tail = read(max(size - _TAIL, 0), size)
    length = int.from_bytes(tail[: _TAIL // 2], "little") + _TAIL
    return read(max(size - length, 0), size)


def chunks(metadata: pq.FileMetaData, number: int) -> Iterator[tuple[str, int, int]]:
    """The columns of a row group, each with where its bytes begin and end."""
    group = metadata.row_group(number)
    for index in range(group.num_columns):
        column = group.column(index)
        start = min(filter(None, (column.dictionary_page_offset, column.data_page_offset)), default=0)
        yield column.path_in_schema, start, start + column.total_compressed_size


def conform(batch: pa.RecordBatch, schema: pa.Schema, *, where: str) -> pa.RecordBatch:
    """The same rows with exactly these columns and types.

    Raises:
        IntegrityError: The file has other types than the manifest says.
    """
    try:
        columns = [_column(batch, wish, where=where) for wish in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    except pa.ArrowException as error:
        raise _unreadable(error, where=where) from None


def _of_one(name: str, columns: Sequence[str]) -> bool:
    """Whether a part of the file belongs to one of these columns, which may be lists."""
    return any(name == column or name.startswith(f"{column}.") for column in columns)


def _unreadable(error: Exception, *, where: str) -> IntegrityError:
    # Arrow's own text may quote a value, so neither it nor its traceback is shown.
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
        fix = "reprocess the table; a reader doesn't guess what another type means"
        raise IntegrityError(what, where=where, fix=fix)
    return found.cast(wish.type)


def _kind(kind: pa.DataType) -> str:
    """The kind of a type's values, without width, unit and encoding."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = {
        pa.types.is_string: "string",
        pa.types.is_large_string: "string",
        pa.types.is_string_view: "string",
        pa.types.is_integer: "integer",
        pa.types.is_floating: "double",
        pa.types.is_date: "date",
        pa.types.is_timestamp: "timestamp",
    }
    return next((name for test, name in tests.items() if test(kind)), str(kind))


def _demand_rows(expected: int, rows: int, *, where: str) -> None:
    if rows != expected:
        raise IntegrityError(f"{expected} rows expected, {rows} found", where=where, fix=_FIX)
