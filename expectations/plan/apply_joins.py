"""The joins of a plan: foreign keys with their references, repeated keys, and all other join rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.expressions.spark_sql import quoted
from expectations.plan.plan import Plan
from expectations.plan.steps import Key, Lookup
from expectations.rules.joins import COUNT, Tables, attach, counted_by, flagged, join, named, names
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def mark(
    frame: DataFrame,
    plan: Plan,
    *,
    published: DataFrame | None,
    reference: Callable[[str], DataFrame],
    earlier: DataFrame | None = None,
) -> DataFrame:
    """The frame with the helper columns of all rules that compare a row with others.

    Args:
        frame: The typed rows.
        plan: Of the suite.
        published: The table that the rows are appended to, whose keys must not come again.
        reference: Gives the pinned version of another dataset.
        earlier: The published rows that came before the drop, where that isn't all of them.
    """
    rows, tables = frame, Tables(published, reference, published if earlier is None else earlier)
    for lookup in plan.lookups:
        frame = _look_up(frame, lookup, reference(lookup.reference))
    for key in plan.keys:
        frame = _mark_repeated(frame, rows, key, published)
    for rule in plan.marks:
        frame = rule.apply(frame, rows, tables)
    return frame


def _look_up(frame: DataFrame, lookup: Lookup, there: DataFrame) -> DataFrame:
    marker = quoted(lookup.marker)
    found = there.selectExpr(f"{quoted(lookup.reference_column)} as {marker}").where(f"{marker} is not null")
    return attach(frame, found.distinct(), [(quoted(lookup.column), marker)])


def _mark_repeated(frame: DataFrame, rows: DataFrame, key: Key, published: DataFrame | None) -> DataFrame:
    """Mark rows whose key several of `rows` (the frame before any join) have, or that is published already.

    Two joins, and not one with the union of both: Sail 0.7.2 never ends where a union holds a semi join with
    an empty table.
    """
    parts, twice, again = [quoted(name) for name in key.columns], f"{HELPER}twice", f"{HELPER}again"
    keys = counted_by(rows.where(key.where), parts)

    def flag(frame: DataFrame, found: DataFrame, name: str) -> DataFrame:
        found = found.selectExpr(*named(parts, name))
        return flagged(frame, parts, found, names(parts, name), name, null_safe=key.null_safe)

    frame = flag(frame, keys.where(f"{COUNT} > 1"), twice)
    if published is None:
        return frame.selectExpr("*", f"{twice} as {quoted(key.marker)}").drop(twice)
    others = published.where(key.where).selectExpr(*named(parts, f"{HELPER}p"))
    pairs = zip(parts, names(parts, f"{HELPER}p"), strict=True)
    frame = flag(frame, join(keys, others, pairs, how="left_semi", null_safe=key.null_safe), again)
    either = f"coalesce({twice}, false) or coalesce({again}, false)"
    return frame.selectExpr("*", f"{either} as {quoted(key.marker)}").drop(twice, again)
