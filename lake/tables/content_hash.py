"""The content hash: one number for what a table holds, whatever files, order, engine or attempt it came in.

Sum modulo 2^128 of one hash per row over the contract's columns in contract order: two xxHash64 of the row
with different salts (https://xxhash.com; Spark's function of that name feeds each column's hash to the next
as its seed). A row's NULLs are part of it, so that NULL differs from an empty string and no two columns run
together. It is a checksum and no proof against an adversary: file hashes in the manifest are SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from catalog.contract import Column, ColumnType, Contract
from catalog.expressions.spark_sql import quoted
from lake.tables.data_files import Listed
from lakegate.manifest import DataFile, Manifest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine

Locate = Callable[["Listed | DataFile"], str]

MODULUS: Final = 1 << 128
SCHEME: Final = "x"
"""First letter of a hash. Hashes without it are of the first scheme (MD5), and can't be added to."""

_SALTS: Final = (0x4C61, 0x6B65)
_PARTS: Final = ("shiftright(h0, 32)", "h0", "shiftright(h1, 32)", "h1")
_SUMS: Final = (*(f"sum({part} & 4294967295L)" for part in _PARTS), "count(1)")
"""Sums of the hashes' 32-bit parts (2^31 of them fit into 64 bits, so no engine overflows), and the rows."""
_WORD: Final = 62
"""Columns whose NULLs one number holds as bits."""


def content_of(engine: Engine, frame: DataFrame, contract: Contract) -> tuple[int, int]:
    """The content hash of a frame as a number below 2^128, and its count of rows, from one pass."""
    return hash_of(engine, frame, _values(contract))


def content_by(
    engine: Engine, frame: DataFrame, contract: Contract, *, key: str, number: str
) -> list[tuple[Any, ...]]:
    """By `key`, the sums of its rows' hashes, which include their `number`, and how many rows there are."""
    from pyspark.sql import functions as F  # noqa: N812

    sums = _hashed(frame, [*_values(contract), number], key).groupBy(key).agg(*map(F.expr, _SUMS))
    return sorted(map(tuple, engine.rows(sums)), key=repr)


def hash_of(engine: Engine, frame: DataFrame, values: Sequence[str]) -> tuple[int, int]:
    """The hash and the count of a frame's rows, by any values in SQL that are never NULL."""
    (found,) = engine.rows(_hashed(frame, values).selectExpr(*_SUMS))
    *parts, rows = found
    total = 0
    for part in parts:
        total = (total << 32) + (part or 0)
    return total % MODULUS, int(rows)


def add(first: str | None, second: int) -> str:
    """The content hash of two disjoint sets of rows together: the scheme's letter and 32 hex digits."""
    return f"{SCHEME}{(int((first or '0').removeprefix(SCHEME), 16) + second) % MODULUS:032x}"


def content_after(
    engine: Engine,
    contract: Contract,
    files: Sequence[Listed | DataFile],
    parent: Manifest | None,
    *,
    uri: Locate,
) -> tuple[str, int]:
    """The content hash of a table of these files, and the count of rows in files that the parent lacks.

    Only those files are read, unless the parent's hash is of an earlier scheme.

    Args:
        engine: Reads the files.
        contract: The table's contract.
        files: All files of the table.
        parent: The version whose files are among them; None where the table begins with these files.
        uri: Gives the engine's address of a file.
    """
    old = {item.path for item in parent.files} if parent else set()
    fresh = [item for item in files if item.path not in old]
    number, rows = _of_files(engine, contract, fresh, uri)
    if parent is None or parent.content_hash.startswith(SCHEME):
        return add(parent.content_hash if parent else None, number), rows
    before, _ = _of_files(engine, contract, [item for item in files if item.path in old], uri)
    return add(None, number + before), rows


def _of_files(
    engine: Engine, contract: Contract, files: Sequence[Listed | DataFile], uri: Locate
) -> tuple[int, int]:
    uris = [uri(item) for item in files if item.rows]
    return content_of(engine, engine.read_parquet(uris), contract) if uris else (0, 0)


def _hashed(frame: DataFrame, values: Sequence[str], *columns: str) -> DataFrame:
    """Each row's hashes, h0 and h1, beside some of its columns."""
    listed = ", ".join(values)
    hashes = (f"xxhash64({salt}L, {listed}) as h{number}" for number, salt in enumerate(_SALTS))
    return frame.selectExpr(*columns, *hashes)


def _values(contract: Contract) -> list[str]:
    return [*_nulls(contract.columns), *map(_canonical, contract.columns)]


def _nulls(columns: Sequence[Column]) -> list[str]:
    """Which columns are NULL, as the bits of numbers."""
    bits = [
        f"case when {quoted(column.name)} is null then {1 << index % _WORD}L else 0L end"
        for index, column in enumerate(columns)
    ]
    return [" + ".join(bits[at : at + _WORD]) for at in range(0, len(bits), _WORD)]


def _canonical(column: Column) -> str:
    """A value as text or number, never NULL, the same on both engines: no float or date becomes text."""
    value = quoted(column.name)
    made: dict[ColumnType, str] = {
        "string": f"coalesce({value}, '')",
        "integer": f"coalesce({value}, 0L)",
        "double": (
            f"case when {value} is null then 0.0D when isnan({value}) then double('nan') "
            f"else {value} + 0.0D end"
        ),
        "boolean": f"case when {value} then 1L else 0L end",
        "date": f"cast(coalesce(datediff({value}, date'1970-01-01'), 0) as bigint)",
        "timestamp": f"coalesce(unix_micros({value}), 0L)",
    }
    return made[column.type]
