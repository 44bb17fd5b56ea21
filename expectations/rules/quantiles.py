"""Medians and quantiles of whole numbers too great for a double: found by counting each value, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from catalog.expressions.spark_sql import all_of, quoted
from expectations.rules.aggregates import Measure
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

HELD: Final = 2.0**52
"""Whole numbers up to it, and the halves between two, are doubles."""


def exact_quantiles(
    frame: DataFrame,
    reaches: Mapping[Measure, float | None],
    chosen: Callable[[Measure], Measure],
    collect: Callable[[DataFrame], list[Any]],
) -> dict[Measure, Any]:
    """The quantiles of columns whose numbers reach beyond what a double holds; by one query each.

    Args:
        frame: The rows.
        reaches: The greatest distance from zero, by what is asked of the column.
        chosen: Makes a measure one of the rows that count.
        collect: Fetches a small frame's rows.
    """
    return {
        item: _exact(frame, chosen(item), collect)
        for item, reach in reaches.items()
        if reach is not None and reach > HELD
    }


def _exact(frame: DataFrame, measure: Measure, collect: Callable[[DataFrame], list[Any]]) -> int | Fraction:
    from pyspark.sql import functions as F  # noqa: N812

    value, n, upto, of = (f"{HELPER}{name}" for name in ("v", "n", "upto", "of"))
    rows = frame.where(
        all_of([part for part in (measure.where, f"{quoted(str(measure.column))} is not null") if part])
    )
    counts = (
        rows.selectExpr(f"{quoted(str(measure.column))} as {value}")
        .groupBy(value)
        .agg(F.count(F.lit(1)).alias(n))
    )
    running = counts.selectExpr(
        value, f"sum({n}) over (order by {value}) as {upto}", f"sum({n}) over () as {of}"
    )
    if measure.function == "quantile":
        reached = f"cast({upto} as double) >= {measure.detail}D * cast({of} as double)"
        (found,) = collect(running.agg(F.expr(f"min(case when {reached} then {value} end)")))
        return int(found[0])
    middle = (f"min(case when 2 * {upto} {sign} {of} then {value} end)" for sign in (">=", ">"))
    (found,) = collect(
        running.agg(*[F.expr(sql).alias(f"{HELPER}{number}") for number, sql in enumerate(middle)])
    )
    half = Fraction(int(found[0]) + int(found[1]), 2)
    return int(half) if half.denominator == 1 else half
