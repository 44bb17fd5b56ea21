"""Table rules on the values of a column: its distinct values, its quantiles, its most common value."""

from __future__ import annotations

import math
from dataclasses import dataclass

from expectations.rules.aggregates import (
    AggregateRequest,
    AggregateResults,
    Function,
    Measure,
    comparable,
    shown_value,
)
from expectations.rules.row_rules import in_set
from expectations.suite import Rule
from expectations.typed_frame import Columns
from expectations.verdict import Outcome, table_outcome


@dataclass(frozen=True)
class DistinctSet:
    """A rule on the distinct values of a column: none outside the set, all of the set, or both."""

    inside: bool
    complete: bool
    counts: bool = True
    odd: tuple[Function, ...] = ()

    def request(self, rule: Rule, base: Measure, columns: Columns) -> AggregateRequest:
        """The aggregates that count values inside and outside the set."""
        return AggregateRequest(self._outside(rule, base, columns) + self._each(rule, base, columns))

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
        """Broken by a value outside the set, or one that is missing."""
        outside = sum(results.measures[item] for item in self._outside(rule, base, columns))
        missing = sum(not results.measures[item] for item in self._each(rule, base, columns))
        words = f"{outside} rows hold a value outside the set, {missing} of its values stand nowhere"
        return table_outcome(
            rule,
            broken=bool(outside or missing),
            words=words,
            observed_value={"rows_outside": outside, "values_missing": missing},
        )

    def _outside(self, rule: Rule, base: Measure, columns: Columns) -> tuple[Measure, ...]:
        members = in_set(columns[str(base.column)], rule.kwargs["value_set"])
        return (base.to("matching", f"not {members}"),) if self.inside else ()

    def _each(self, rule: Rule, base: Measure, columns: Columns) -> tuple[Measure, ...]:
        column, values = columns[str(base.column)], rule.kwargs["value_set"] if self.complete else ()
        return tuple(base.to("matching", in_set(column, [value])) for value in values)


@dataclass(frozen=True)
class Quantiles:
    """A range for each of several quantiles (the least value that such a share of rows doesn't exceed)."""

    counts: bool = False
    odd: tuple[Function, ...] = ("nan",)

    def request(self, rule: Rule, base: Measure, _: Columns) -> AggregateRequest:
        """The quantiles."""
        return AggregateRequest((*base.each(*base.odd(self.odd)), *self._each(rule, base)))

    def judge(self, rule: Rule, base: Measure, _: Columns, results: AggregateResults) -> Outcome:
        """Broken by a quantile outside its range."""
        values = [results.measures[item] for item in self._each(rule, base)]
        given = rule.kwargs["quantile_ranges"]
        pairs = zip(values, given["value_ranges"], strict=True)
        return table_outcome(
            rule,
            broken=not all(_in_range(value, *ends) for value, ends in pairs),
            words=f"quantiles are {values}",
            observed_value={"quantiles": given["quantiles"], "values": values},
        )

    @staticmethod
    def _each(rule: Rule, base: Measure) -> tuple[Measure, ...]:
        quantiles = rule.kwargs["quantile_ranges"]["quantiles"]
        return tuple(base.to("quantile", repr(float(item))) for item in quantiles)


def _in_range(value: float | None, low: float | None, high: float | None) -> bool:
    """GX lets a quantile lie beyond an end by one part in 10,000."""
    if value is None:
        return False
    near = any(end is not None and math.isclose(value, end, rel_tol=1e-4) for end in (low, high))
    return near or ((low is None or low <= value) and (high is None or value <= high))


@dataclass(frozen=True)
class MostCommon:
    """The value (or values) of most rows are in a set."""

    counts: bool = False
    odd: tuple[Function, ...] = ()

    def request(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        """The most common values."""
        return AggregateRequest(base.each("mode"))

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
        """Broken where they are not in the set."""
        kind = columns[str(base.column)].type
        found = [shown_value(value, kind) for value in results.measures[base.to("mode")]]
        wanted = [shown_value(comparable(value, kind), kind) for value in rule.kwargs["value_set"]]
        allowed = [value for value in found if value in wanted]
        ok = bool(allowed) if rule.kwargs.get("ties_okay") else len(found) == len(allowed) == 1
        words = f"{len(found)} values stand most often, {len(allowed)} of them in the set"
        return table_outcome(rule, broken=not ok, words=words, observed_value=found)
