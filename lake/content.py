"""The content hash: one number for what a table holds, whatever files, order, engine or attempt it came in.

Sum modulo 2^128 of one MD5 per row over the contract's columns in contract order. Each value is tagged and given a
length, so that NULL differs from an empty string and no two rows run together. MD5 serves as a checksum here, not
against an adversary: file hashes in the manifest are SHA-256.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from catalog.contract import Column, Contract

if TYPE_CHECKING:
    from pyspark.sql import Column as Expression
    from pyspark.sql import DataFrame

    from lake.engine import Engine

MODULUS: Final = 1 << 128
LIMBS: Final = 4
"""32-bit parts of an MD5: a sum of 2^31 of them still fits 64 bits, a sum of whole ones fits no engine's decimal."""


def content_of(engine: Engine, frame: DataFrame, contract: Contract) -> tuple[int, int]:
    """The content hash of a frame as a number below 2^128, and its count of rows, from one pass."""
    from pyspark.sql import functions as F  # noqa: N812

    hashed = frame.select(F.md5(F.concat(*(_tagged(column) for column in contract.columns))).alias("row"))
    row = F.col("row")
    sums = [F.sum(F.conv(F.substring(row, 1 + 8 * limb, 8), 16, 10).cast("bigint")).alias(f"limb{limb}") for limb in range(LIMBS)]
    (found,) = engine.rows(hashed.agg(*sums, F.count(F.lit(1)).alias("rows")))
    total = sum((found[f"limb{limb}"] or 0) << (32 * (LIMBS - 1 - limb)) for limb in range(LIMBS))
    return total % MODULUS, int(found["rows"])


def add(first: str | None, second: int) -> str:
    """The content hash of two disjoint sets of rows together, as 32 hex digits."""
    return f"{(int(first or '0', 16) + second) % MODULUS:032x}"


def _tagged(column: Column) -> Expression:
    from pyspark.sql import functions as F  # noqa: N812

    value = _canonical(column)
    return F.when(F.col(column.name).isNull(), F.lit("n;")).otherwise(
        F.concat(F.length(value).cast("string"), F.lit(":"), value, F.lit(";"))
    )


def _canonical(column: Column) -> Expression:
    """A value's text, the same on both engines: no float is ever printed, no date ever formatted."""
    from pyspark.sql import functions as F  # noqa: N812

    value = F.col(column.name)
    match column.type:
        case "string":
            return value
        case "double":
            # Adding a varying zero makes -0.0 one with 0.0, and keeps Sail 0.7.2 from panicking in xxhash64 over a
            # column that Parquet's statistics show to be constant.
            return F.when(F.isnan(value), F.lit("nan")).otherwise(F.hex(F.xxhash64(value + F.monotonically_increasing_id() * F.lit(0.0))))
        case "timestamp":
            return F.unix_micros(value).cast("string")
        case "date":
            return F.datediff(value, F.to_date(F.lit("1970-01-01"))).cast("string")
        case "boolean":
            return F.when(value, F.lit("1")).otherwise(F.lit("0"))
        case "integer":
            return value.cast("string")
