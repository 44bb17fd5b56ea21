"""The content hash: one number for what a table holds, whatever files, order, engine or attempt it came in.

Sum modulo 2^128 of one hash per row over the contract's columns in contract order: two xxHash64 of the row, begun with
different salts (https://xxhash.com; Spark's function of that name feeds each column's hash to the next as its seed). A row's
NULLs are part of it, so that NULL differs from an empty string and no two columns run together. It is a checksum and no proof
against an adversary: file hashes in the manifest are SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from catalog.contract import Column, ColumnType, Contract
from catalog.spark_sql import quoted
from lake.delta import Listed
from lakegate.manifest import DataFile, Manifest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine import Engine

Locate = Callable[["Listed | DataFile"], str]

MODULUS: Final = 1 << 128
SCHEME: Final = "x"
"""Stands before the digits. Hashes without it are of the first scheme (MD5): they can be compared, and not added to."""

_SALTS: Final = (0x4C61, 0x6B65)
_WORD: Final = 62
"""Columns whose NULLs one number tells."""


def content_of(engine: Engine, frame: DataFrame, contract: Contract) -> tuple[int, int]:
    """The content hash of a frame as a number below 2^128, and its count of rows, from one pass."""
    return hash_of(engine, frame, [*_nulls(contract.columns), *map(_canonical, contract.columns)])


def hash_of(engine: Engine, frame: DataFrame, values: Sequence[str]) -> tuple[int, int]:
    """The same of any values in SQL, none of them NULL."""
    listed = ", ".join(values)
    hashed = frame.selectExpr(*[f"xxhash64({salt}L, {listed}) as h{number}" for number, salt in enumerate(_SALTS)])
    # 32-bit parts: the sum of 2^31 of them still fits 64 bits, and no engine's sum wraps around.
    parts = [f"sum({part} & 4294967295L)" for number, _ in enumerate(_SALTS) for part in (f"shiftright(h{number}, 32)", f"h{number}")]
    (found,) = engine.rows(hashed.selectExpr(*[f"{sql} as part{number}" for number, sql in enumerate(parts)], "count(1) as rows"))
    total = 0
    for number, _ in enumerate(parts):
        total = (total << 32) + (found[number] or 0)
    return total % MODULUS, int(found[len(parts)])


def add(first: str | None, second: int) -> str:
    """The content hash of two disjoint sets of rows together: the scheme's letter and 32 hex digits."""
    return f"{SCHEME}{(int((first or '0').removeprefix(SCHEME), 16) + second) % MODULUS:032x}"


def content_after(
    engine: Engine, contract: Contract, files: Sequence[Listed | DataFile], parent: Manifest | None, *, uri: Locate
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


def _of_files(engine: Engine, contract: Contract, files: Sequence[Listed | DataFile], uri: Locate) -> tuple[int, int]:
    uris = [uri(item) for item in files if item.rows]
    return content_of(engine, engine.read_parquet(uris), contract) if uris else (0, 0)


def _nulls(columns: Sequence[Column]) -> list[str]:
    """Which columns are NULL, as the bits of numbers."""
    bits = [f"case when {quoted(column.name)} is null then {1 << index % _WORD}L else 0L end" for index, column in enumerate(columns)]
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
