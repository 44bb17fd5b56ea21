"""Medians and quantiles of whole numbers too great for a double: found by counting each value, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from catalog.expressions.spark_sql import all_of, quoted
from expectations.rules.aggregates import Measure
from expectations.rules.joins import COUNT, counted_by
from expectations.rules.queries.query_rules import aggregate
from expectations.typed_frame import HELPER, Collect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

HELD: Final = 2.0**52
"""Whole numbers up to it, and the halves between two, are doubles."""


def exact_quantiles(
    frame: DataFrame,
    reaches: Mapping[Measure, float | None],
    chosen: Callable[[Measure], Measure],
    collect: Collect,
) -> dict[Measure, Any]:
    """The quantiles of columns whose numbers reach beyond what a double holds; by one query each.

    Args:
        frame: The rows.
        reaches: The greatest distance of a column from zero, by quantile.
        chosen: Makes a measure one of the rows that count.
        collect: Fetches a small frame's rows.
    """
    return {
        item: _exact(frame, chosen(item), collect)
        for item, reach in reaches.items()
        if reach is not None and reach > HELD
    }


def _exact(frame: DataFrame, measure: Measure, collect: Collect) -> int | Fraction:
    column, (value, upto, of) = (
        quoted(str(measure.column)),
        (f"{HELPER}{name}" for name in ("v", "upto", "of")),
    )
    rows = frame.where(all_of([part for part in (measure.where, f"{column} is not null") if part]))
    counts = counted_by(rows.selectExpr(f"{column} as {value}"), [value])
    running = counts.selectExpr(
        value, f"sum({COUNT}) over (order by {value}) as {upto}", f"sum({COUNT}) over () as {of}"
    )
    if measure.function == "quantile":
        reached = f"cast({upto} as double) >= {measure.detail}D * cast({of} as double)"
        (found,) = aggregate(running, [f"min(case when {reached} then {value} end)"], collect)
        return int(found)
    middle = (f"min(case when 2 * {upto} {sign} {of} then {value} end)" for sign in (">=", ">"))
    half = Fraction(sum(map(int, aggregate(running, middle, collect))), 2)
    return int(half) if half.denominator == 1 else half
