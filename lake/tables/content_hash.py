"""The content hash: one number for what a table holds, whatever files, order, engine or attempt it came in.

Sum modulo 2^128 of one hash per row over the contract's columns in contract order: two xxHash64 of the row, begun with
different salts (https://xxhash.com; Spark's function of that name feeds each column's hash to the next as its seed). A row's
NULLs are part of it, so that NULL differs from an empty string and no two columns run together. It is a checksum and no proof
against an adversary: file hashes in the manifest are SHA-256.
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
"""Stands before the digits. Hashes without it are of the first scheme (MD5): they can be compared, and not added to."""

_SALTS: Final = (0x4C61, 0x6B65)
_SUMS: Final = (
    *(
        f"sum({half} & 4294967295L)"
        for at, _ in enumerate(_SALTS)
        for half in (f"shiftright(h{at}, 32)", f"h{at}")
    ),
    "count(1)",
)
"""Of 32-bit parts: the sum of 2^31 of them still fits 64 bits, and no engine's sum wraps around; and how many rows there are."""
_WORD: Final = 62
"""Columns whose NULLs one number tells."""


def content_of(engine: Engine, frame: DataFrame, contract: Contract) -> tuple[int, int]:
    """The content hash of a frame as a number below 2^128, and its count of rows, from one pass."""
    return hash_of(engine, frame, _values(contract))


def content_by(
    engine: Engine, frame: DataFrame, contract: Contract, *, key: str, number: str
) -> list[tuple[Any, ...]]:
    """Of each `key` what its rows' hashes add up to, their `number` in them, and how many they are: wherever they lie, the same."""
    from pyspark.sql import functions as F  # noqa: N812

    sums = _hashed(frame, [*_values(contract), number], key).groupBy(key).agg(*map(F.expr, _SUMS))
    return sorted(map(tuple, engine.rows(sums)), key=repr)


def hash_of(engine: Engine, frame: DataFrame, values: Sequence[str]) -> tuple[int, int]:
    """The same of any values in SQL, none of them NULL."""
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
    """The content hash of a table of these files, and the rows of those that the parent lacks; `uri` says where the engine finds one.

    Only these are read, unless the parent's hash was made by an earlier scheme. No parent: the table begins with these files.
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


def _hashed(frame: DataFrame, values: Sequence[str], *kept: str) -> DataFrame:
    """A row's hashes, h0 and h1, and what is `kept` of it."""
    listed = ", ".join(values)
    return frame.selectExpr(
        *kept, *(f"xxhash64({salt}L, {listed}) as h{number}" for number, salt in enumerate(_SALTS))
    )


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
    """A value as text or number, never NULL, the same on both engines: no float is ever printed, no date ever formatted."""
    value = quoted(column.name)
    made: dict[ColumnType, str] = {
        "string": f"coalesce({value}, '')",
        "integer": f"coalesce({value}, 0L)",
        "double": f"case when {value} is null then 0.0D when isnan({value}) then double('nan') else {value} + 0.0D end",
        "boolean": f"case when {value} then 1L else 0L end",
        "date": f"cast(coalesce(datediff({value}, date'1970-01-01'), 0) as bigint)",
        "timestamp": f"coalesce(unix_micros({value}), 0L)",
    }
    return made[column.type]
