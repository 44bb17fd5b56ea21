"""What rules look up for a row: references by a join, and keys that stand more than once by an aggregation and a join."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.expressions.spark_sql import all_of, quoted
from expectations.plan.plan import Key, Lookup, Plan
from expectations.rules.joins import Tables
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def mark(
    frame: DataFrame,
    plan: Plan,
    *,
    published: DataFrame | None,
    reference: Callable[[str], DataFrame],
    earlier: DataFrame | None = None,
) -> DataFrame:
    """Join what the rules look up: references by `reference(table)`, and keys that stand more than once.

    By hash aggregation and join, from the right: engines build their hash table of what stands left, and the rows are the greater
    side. `published` is the table that the rows are appended to, whose keys must not come again; `earlier` those of its rows that
    came before the drop, where that isn't all of them.
    """
    rows = frame
    for lookup in plan.lookups:
        frame = _look_up(frame, lookup, reference(lookup.reference))
    for key in plan.keys:
        frame = _mark_repeated(frame, rows, key, published)
    for item in plan.marks:
        frame = item.apply(
            frame, Tables(rows, published, reference, published if earlier is None else earlier)
        )
    return frame


def _look_up(frame: DataFrame, lookup: Lookup, there: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    found = (
        there.select(F.col(quoted(lookup.reference_column)).alias(lookup.marker))
        .where(F.col(quoted(lookup.marker)).isNotNull())
        .distinct()
    )
    return found.join(frame, on=F.col(quoted(lookup.column)) == F.col(quoted(lookup.marker)), how="right")


def _mark_repeated(frame: DataFrame, rows: DataFrame, key: Key, published: DataFrame | None) -> DataFrame:
    """Mark the rows whose key stands more than once among `rows`, the frame before any mark, or already in the published table.

    To aggregate the marked frame instead would double the query with each key.
    Two joins, and not one with the union of both: Sail 0.7.2 never ends where a union holds a semi join with an empty table.
    """
    from pyspark.sql import functions as F  # noqa: N812

    columns, n = [quoted(name) for name in key.columns], f"{HELPER}n"
    keys = rows.where(F.expr(key.where)).groupBy(*columns).agg(F.count(F.lit(1)).alias(n))
    marked = _join_marker(frame, keys.where(F.col(n) > 1), key, "twice")
    if published is None:
        return marked.selectExpr("*", f"{HELPER}twice as {quoted(key.marker)}").drop(f"{HELPER}twice")
    others = [f"{HELPER}p{number}" for number, _ in enumerate(columns)]
    there = published.where(F.expr(key.where)).select(
        *[F.col(name).alias(other) for name, other in zip(columns, others, strict=True)]
    )
    marked = _join_marker(
        marked, keys.join(there, on=_same(columns, others, key), how="left_semi"), key, "again"
    )
    either = f"coalesce({HELPER}twice, false) or coalesce({HELPER}again, false)"
    return marked.selectExpr("*", f"{either} as {quoted(key.marker)}").drop(
        f"{HELPER}twice", f"{HELPER}again"
    )


def _join_marker(frame: DataFrame, keys: DataFrame, key: Key, name: str) -> DataFrame:
    """The frame with a helper column that is true where the row's key is among `keys`, else NULL."""
    from pyspark.sql import functions as F  # noqa: N812

    columns = [quoted(column) for column in key.columns]
    others = [f"{HELPER}{name}{number}" for number, _ in enumerate(columns)]
    found = keys.select(
        *[F.col(column).alias(other) for column, other in zip(columns, others, strict=True)],
        F.lit(True).alias(f"{HELPER}{name}"),
    )
    return found.join(frame, on=_same(columns, others, key), how="right").drop(*others)


def _same(columns: list[str], others: list[str], key: Key) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    sign = "<=>" if key.null_safe else "="
    return F.expr(all_of([f"{name} {sign} {other}" for name, other in zip(columns, others, strict=True)]))
