"""Table rules on one number of a column: a count, share, extreme, median, sum, mean or deviation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from catalog.contract import Column
from expectations.rules.aggregates import (
    AggregateRequest,
    AggregateResults,
    Function,
    Measure,
    Spread,
    comparable,
    shown_value,
)
from expectations.suite import Rule
from expectations.typed_frame import Columns
from expectations.verdict import Outcome, table_outcome


def between(value: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a number (or text of a time) lies within the rule's bounds; no value and NaN don't."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    if low is not None:
        number = _as_precise_as(low, value)
        if number < low or (kwargs.get("strict_min") and number == low):
            return False
    if high is not None:
        number = _as_precise_as(high, value)
        return bool(number < high if kwargs.get("strict_max") else number <= high)
    return True


def _as_precise_as(bound: Any, value: Any) -> Any:
    """A value to compare with a bound: a mean of whole numbers is exact, but a bound may be a double."""
    return float(value) if isinstance(value, Fraction) and isinstance(bound, float) else value


def _within_bounds(rule: Rule, label: str, value: Any, column: Column | None) -> Outcome:
    kwargs, shown = dict(rule.kwargs), value
    if column is not None:
        for name in ("min_value", "max_value"):
            kwargs[name] = comparable(kwargs.get(name), column.type)
        shown = shown_value(value, column.type)
    if isinstance(shown, Fraction):
        shown = int(shown) if shown.denominator == 1 else float(shown)
    words = f"{label} is {shown if shown is not None else 'nothing'}"
    return table_outcome(rule, broken=not between(value, kwargs), words=words, observed_value=shown)


@dataclass(frozen=True)
class Bounded:
    """A rule on one number: the aggregates it comes from, and how."""

    label: str
    needs: tuple[Function, ...]
    value: Callable[..., Any]
    counts: bool = False
    """Whether it is a count or share, which says nothing of any value."""

    @property
    def odd(self) -> tuple[Function, ...]:
        """What a column of doubles may not hold."""
        return () if self.counts else ("nan",)

    def request(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        """The aggregates that the number comes from."""
        return AggregateRequest(base.each(*self.needs, *base.odd(self.odd)))

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
        """Broken where the number is out of bounds."""
        value = self.value(*(results.measures[item] for item in base.each(*self.needs)))
        column = None if self.counts else columns.get(base.column or "")
        return _within_bounds(rule, self.label, value, column)


@dataclass(frozen=True)
class Summed:
    """A rule on a column's sum, mean or deviation."""

    label: str
    value: Callable[[Spread], float | Fraction | None]
    deviation: bool = False
    counts: bool = False
    odd: tuple[Function, ...] = ("nan", "infinite")

    def request(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        """The aggregates of sums, and the column where they take a second pass."""
        if self._exact(base):
            return AggregateRequest(base.each("total", "present"))
        return AggregateRequest(base.each("present", "min", "max", *base.odd(self.odd)), base)

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
        """Broken where the number is out of bounds."""
        if self._exact(base):
            count, total = (results.measures[item] or 0 for item in base.each("present", "total"))
            found = Spread(int(count), int(total), 0.0)
        else:
            found = results.spreads[base]
        return _within_bounds(rule, self.label, self.value(found), columns[str(base.column)])

    def _exact(self, base: Measure) -> bool:
        """Whether one aggregate is enough: sums and means of whole numbers need no second pass."""
        return base.type == "integer" and not self.deviation
