"""Parquet files of any Delta writer, read as one schema: the manifest's."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from lakegate.errors import IntegrityError
from lakegate.manifest import DataFile

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


def read_batches(source: pa.NativeFile, file: DataFile, schema: pa.Schema, *, where: str) -> Iterator[pa.RecordBatch]:
    """The file's rows with exactly these columns and types, in batches, holding one row group at a time.

    Raises:
        IntegrityError: The file has other rows or types than the manifest says, or is no Parquet.
        OSError: The source failed.
    """
    rows = 0
    try:
        for batch in _batches(source, file, schema, where=where):
            rows += batch.num_rows
            yield batch
    except pa.ArrowException as error:
        # Arrow's own text may quote a value, so neither it nor its traceback goes on.
        what = f"the file can't be read as Parquet of the manifest's types ({type(error).__name__})"
        raise IntegrityError(what, where=where, fix=_FIX) from None
    _demand_rows(file, rows, where=where)


def _batches(source: pa.NativeFile, file: DataFile, schema: pa.Schema, *, where: str) -> Iterator[pa.RecordBatch]:
    parquet = pq.ParquetFile(source, pre_buffer=True, page_checksum_verification=True, coerce_int96_timestamp_unit="us")
    _demand_rows(file, parquet.metadata.num_rows, where=where)
    present = set(parquet.schema_arrow.names)
    if lost := [name for name in schema.names if name not in present and f"/{name}=" in f"/{file.path}"]:
        what = f"column {lost[0]} lies in the path, not in the file"
        raise IntegrityError(what, where=where, fix="publish the table unpartitioned by it; reading it from the path would guess its type")
    wanted = [name for name in schema.names if name in present]
    for group in range(parquet.num_row_groups):
        # One group at a time: a reader over all of them keeps every buffer it fetched ahead.
        for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted):
            arrays = [_column(batch, wish, where=where) for wish in schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _column(batch: pa.RecordBatch, wish: pa.Field, *, where: str) -> pa.Array:
    """One column in the manifest's type; NULLs where the file is older than the column, as Delta has it."""
    index = batch.schema.get_field_index(wish.name)
    if index < 0:
        return pa.nulls(batch.num_rows, wish.type)
    found = batch.column(index)
    if _kind(found.type) != _kind(wish.type):
        what = f"column {wish.name} is {found.type}, the manifest says {wish.type}"
        raise IntegrityError(what, where=where, fix="reprocess the table; a reader doesn't guess what another type means")
    return found.cast(wish.type)


def _kind(kind: pa.DataType) -> str:
    """What a type holds, whatever its width, unit or encoding."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    tests = {"integer": pa.types.is_integer, "double": pa.types.is_floating, "date": pa.types.is_date, "timestamp": pa.types.is_timestamp}
    return next((name for name, test in tests.items() if test(kind)), str(kind))


def _demand_rows(file: DataFile, rows: int, *, where: str) -> None:
    if rows != file.rows:
        what = f"{file.rows} rows expected, {rows} found"
        raise IntegrityError(what, where=where, fix=_FIX)
