"""Which rows of a delivery are published already, by the rules on repeated keys and rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, any_of, quoted
from expectations.rules.joins import COUNT, KeepOnePerKey, counted_by, flagged, join, named, names, same
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.plan.plan import Plan


def without_published(labelled: DataFrame, plan: Plan, published: DataFrame) -> DataFrame:
    """The labelled rows whose key no earlier delivery published, or whose key several rows of this one have.

    The latter break a key that may come once whatever is published, as all rows do where the key has too few
    columns.
    """
    frame, again = labelled, []
    for number, (columns, where, null_safe, most) in enumerate(_keys(plan)):
        key, mark = f"{HELPER}come{number}_", f"{HELPER}again{number}"
        other, parts = f"{key}p", same(columns)
        keys = names(parts, key)
        delivered = counted_by(labelled.where(where).selectExpr(*named(parts, key)), keys).where(most)
        earlier = published.where(where).selectExpr(*named(parts, other)).distinct()
        pairs = zip(keys, names(parts, other), strict=True)
        there = join(delivered, earlier, pairs, how="left_semi", null_safe=null_safe)
        frame = flagged(frame, parts, there, keys, mark, null_safe=null_safe)
        again.append(f"coalesce({all_of([where, quoted(mark)])}, false)")
    return frame.where(f"not {any_of(again)}") if again else frame


def _keys(plan: Plan) -> Iterator[tuple[tuple[Column, ...], str, bool, str]]:
    """Of each rule on repeats: columns, rows, whether NULL equals NULL, and how often a key may come."""
    for key in plan.keys:
        yield tuple(plan.columns[name] for name in key.columns), key.where, key.null_safe, f"{COUNT} = 1"
    for mark in plan.marks:
        if isinstance(mark, KeepOnePerKey):
            yield mark.columns, mark.where, mark.null_safe, "true"
