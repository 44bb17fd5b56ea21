"""Which rows of a delivery come again: by what the rules on repeats say, they stand in the published table already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, any_of, quoted
from expectations.rules.joins import KeepOnePerKey, flagged, join, named, names, same
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.plan.plan import Plan


def without_published(labelled: DataFrame, plan: Plan, published: DataFrame) -> DataFrame:
    """The labelled rows whose key was published by no earlier delivery, or stands in several rows of this one.

    The latter break a key that may stand once whatever was published, as they all do where too few columns were named.
    """
    from pyspark.sql import functions as F  # noqa: N812

    frame, again = labelled, []
    for number, (columns, where, null_safe, most) in enumerate(_keys(plan)):
        key, mark = f"{HELPER}come{number}_", f"{HELPER}again{number}"
        other, parts = f"{key}p", same(columns)
        mine = labelled.where(F.expr(where)).groupBy(
            *[F.expr(part).alias(f"{key}{at}") for at, part in enumerate(parts)]
        )
        asked = mine.agg(F.count(F.lit(1)).alias(f"{HELPER}n")).where(most)
        stand = published.where(F.expr(where)).selectExpr(*named(parts, other)).distinct()
        pairs = zip(names(parts, key), names(parts, other), strict=True)
        there = join(asked, stand, pairs, how="left_semi", null_safe=null_safe)
        frame = flagged(frame, parts, there, names(parts, key), mark, null_safe=null_safe)
        again.append(f"coalesce({all_of([where, quoted(mark)])}, false)")
    return frame.where(f"not {any_of(again)}") if again else frame


def _keys(plan: Plan) -> Iterator[tuple[tuple[Column, ...], str, bool, str]]:
    """The columns of each rule on repeats, of which rows it is asked, whether NULL equals NULL, and how often a key may come."""
    for key in plan.keys:
        yield tuple(plan.columns[name] for name in key.columns), key.where, key.null_safe, f"{HELPER}n = 1"
    for mark in plan.marks:
        if isinstance(mark, KeepOnePerKey):
            yield mark.columns, mark.where, mark.null_safe, "true"
