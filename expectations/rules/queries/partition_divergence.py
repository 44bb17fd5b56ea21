"""The Kullback-Leibler divergence of a column from a stated partition: values or bins, with weights.

Rows are counted by value or bin in one query; the divergence is found of these counts, as Great Expectations
defines it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from catalog.contract import Column
from catalog.expressions.spark_sql import quoted
from expectations.rules.joins import COUNT, counted_by, same
from expectations.rules.queries.query_rules import QueryContext, QueryRule, counted
from expectations.rules.row_rules import in_set
from expectations.suite import Rule
from expectations.typed_frame import HELPER
from expectations.verdict import Outcome, table_outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Divergence(QueryRule):
    """How far a column's shares lie from stated ones, without NULL; NaN or no value breaks the rule."""

    column: Column
    partition: dict[str, Any]
    where: str

    def __hash__(self) -> int:
        """By its column: a partition is a dictionary."""
        return hash((self.column, self.where))

    def query(self, context: QueryContext) -> tuple[int, ...]:
        """Rows with a value, rows with NaN, rows of each part; then pairs for the values that are in no part.

        A pair is a number of rows, and how many values have so many rows.
        """
        name, bins = quoted(self.column.name), "bins" in self.partition
        rows = context.where(self.where, f"{name} is not null")
        nan = f"count(case when isnan({name}) then 1 end)" if self.column.type == "double" else "0"
        parts = self._bins() if bins else (in_set(self.column, [item]) for item in self.partition["values"])
        counts = (f"count(case when {part} then 1 end)" for part in parts)
        known = counted(context.collect, rows, "count(1)", nan, *counts)
        return known if bins else (*known, *self._others(context, rows))

    def _bins(self) -> Iterator[str]:
        """Below all bins, in each (of the last its end too), above all."""
        name = f"cast({quoted(self.column.name)} as double)"
        edges = [f"double('{edge!r}')" for edge in map(float, self.partition["bins"])]
        there = f"not isnan({name}) and " if self.column.type == "double" else ""
        yield f"{there}{name} < {edges[0]}"
        for low, high in pairwise(edges):
            yield f"{there}{name} >= {low} and {name} {'<=' if high == edges[-1] else '<'} {high}"
        yield f"{there}{name} > {edges[-1]}"

    def _others(self, context: QueryContext, rows: DataFrame) -> list[int]:
        """Of the values that the partition doesn't name: how many have so many rows, most rows first."""
        from pyspark.sql import functions as F  # noqa: N812

        (value,) = same([self.column])
        others = rows.where(f"not {in_set(self.column, self.partition['values'])}")
        values = counted_by(others.selectExpr(f"{value} as {HELPER}v"), [f"{HELPER}v"])
        pairs = context.collect(values.groupBy(COUNT).agg(F.count(F.lit(1)).alias(f"{HELPER}k")))
        return [int(number) for pair in sorted(map(tuple, pairs), reverse=True) for number in pair]

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken where the divergence is above the threshold, or infinite."""
        rows, nan, *parts = numbers or (0, 0)
        if not rows or nan:
            words = f"{self.column.name} holds {'NaN' if nan else 'no value'}"
            return table_outcome(rule, broken=True, words=words, observed_value=None)
        kwargs, bound = rule.kwargs, rule.kwargs["threshold"]
        pairs = self._of_bins(parts, kwargs) if "bins" in self.partition else self._of_values(parts, kwargs)
        found = divergence(list(pairs))
        if math.isinf(found):
            words = "values stand where the partition has none"
            return table_outcome(rule, broken=found > bound, words=words, observed_value=None, rows=rows)
        words = f"the divergence is {found:.6g}, at most {bound}"
        return table_outcome(rule, broken=found > bound, words=words, observed_value=found, rows=rows)

    def _of_values(self, parts: list[int], kwargs: dict[str, Any]) -> Iterator[tuple[int, float]]:
        """Values that the partition doesn't name share the holdout."""
        weights, holdout = self.partition["weights"], kwargs.get("tail_weight_holdout") or 0
        others = parts[len(weights) :]
        count = sum(others[1::2])
        for seen, weight in zip(parts[: len(weights)], weights, strict=True):
            yield seen, weight * (1 - holdout) if count else weight
        for seen, times in zip(others[::2], others[1::2], strict=True):
            for _ in range(times):
                yield seen, holdout / count

    def _of_bins(self, parts: list[int], kwargs: dict[str, Any]) -> Iterator[tuple[int, float]]:
        """Bins without weight share one holdout, what lies beyond the finite ends the other."""
        below, *inside, above = parts
        tail, inner = kwargs.get("tail_weight_holdout") or 0, kwargs.get("internal_weight_holdout") or 0
        weights = [weight * (1 - tail - inner) for weight in self.partition["weights"]]
        empty = weights.count(0)
        weights = [weight or (inner / empty if inner else 0) for weight in weights]
        first, last = math.isinf(self.partition["bins"][0]), math.isinf(self.partition["bins"][-1])
        ends = self.partition.get("tail_weights") or ([tail, tail] if first or last else [tail / 2, tail / 2])
        if not first:
            yield below, ends[0]
        yield from zip(inside, weights, strict=True)
        if not last:
            yield above, ends[1]


def divergence(pairs: list[tuple[int, float]]) -> float:
    """The Kullback-Leibler divergence of counts from weights, in nats; infinite where a weight is missing."""
    rows, weights = sum(seen for seen, _ in pairs), math.fsum(weight for _, weight in pairs)
    if any(seen and not weight for seen, weight in pairs):
        return math.inf
    parts = (seen / rows * math.log(seen / rows / (weight / weights)) for seen, weight in pairs if seen)
    return max(0.0, math.fsum(parts))
