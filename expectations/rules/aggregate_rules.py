"""Table rules that SQL aggregates of a column decide: the aggregates that each needs, and its outcome from their values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from catalog.contract import Column
from expectations.rules.aggregates import Function, Measure, Seen, Spread, comparable, shown_value
from expectations.rules.row_rules import condition_of, in_set
from expectations.suite import Rule
from expectations.typed_frame import Columns
from expectations.verdict import Outcome, table_outcome


@dataclass(frozen=True)
class AggregateRequest:
    """What one table rule needs: aggregates, and the column whose sums take a second pass."""

    measures: tuple[Measure, ...]
    spread: Measure | None = None


@dataclass(frozen=True)
class AggregateResults:
    """Values of aggregates by measure, and spreads by the measure that requested them."""

    measures: Seen
    spreads: dict[Measure, Spread]


def aggregates_of(rule: Rule, columns: Columns) -> AggregateRequest | None:
    """The aggregates that a table rule needs; None where aggregates don't decide its type."""
    kind = _KINDS.get(rule.type)
    return None if kind is None else kind.request(rule, _base(rule, columns), columns)


def judge_aggregates(rule: Rule, columns: Columns, results: AggregateResults) -> Outcome:
    """A table rule's outcome; what was observed of a personal column is left out of it (promise P6)."""
    kind, base = _KINDS[rule.type], _base(rule, columns)
    if any(results.measures[item] for item in _functions(base, *_odd(kind.odd, base))):
        what = "NaN or infinite numbers" if "infinite" in kind.odd else "NaN"
        found = table_outcome(rule, broken=True, words=f"{base.column} holds {what}", observed_value=None)
    else:
        found = kind.judge(rule, base, columns, results)
    column = columns.get(rule.kwargs.get("column", ""))
    personal = column is not None and column.personal and not kind.counts
    return replace(found, observed={}) if personal else found


def _base(rule: Rule, columns: Columns) -> Measure:
    """A measure of the rule's column and rows, to be made into those that it needs."""
    where = next(iter(condition_of(rule, columns)), None)
    if (column := columns.get(rule.kwargs.get("column", ""))) is None:
        return Measure("rows", where=where)
    return Measure("rows", column.name, column.type, where)


def _function(base: Measure, name: Function, detail: str = "") -> Measure:
    if name == "rows":
        return replace(base, function=name, column=None, type=None)
    return replace(base, function=name, detail=detail)


def _functions(base: Measure, *names: Function) -> tuple[Measure, ...]:
    return tuple(_function(base, name) for name in names)


def _odd(names: tuple[Function, ...], base: Measure) -> tuple[Function, ...]:
    """The aggregates that count numbers without an order; only doubles have any."""
    return names if base.type == "double" else ()


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
    """A value to compare with a bound: a mean or median of whole numbers is exact, but a bound may be a double."""
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
class _Bounded:
    """A rule on one number: the aggregates it comes from, and how."""

    label: str
    needs: tuple[Function, ...]
    value: Callable[..., Any]
    counts: bool = False
    """Whether it is a count or share, which says nothing of any value."""

    @property
    def odd(self) -> tuple[Function, ...]:
        return () if self.counts else ("nan",)

    def request(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        return AggregateRequest(_functions(base, *self.needs, *_odd(self.odd, base)))

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
        value = self.value(*(results.measures[item] for item in _functions(base, *self.needs)))
        return _within_bounds(
            rule, self.label, value, None if self.counts else columns.get(base.column or "")
        )


@dataclass(frozen=True)
class _Summed:
    """A rule on a column's sum, mean or deviation."""

    label: str
    value: Callable[[Spread], float | Fraction | None]
    deviation: bool = False
    counts: bool = False
    odd: tuple[Function, ...] = ("nan", "infinite")

    def request(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        if self._exact(base):
            return AggregateRequest(_functions(base, "total", "present"))
        return AggregateRequest(_functions(base, "present", "min", "max", *_odd(self.odd, base)), base)

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
        if self._exact(base):
            count, total = (results.measures[item] or 0 for item in _functions(base, "present", "total"))
            found = Spread(int(count), int(total), 0.0)
        else:
            found = results.spreads[base]
        return _within_bounds(rule, self.label, self.value(found), columns[str(base.column)])

    def _exact(self, base: Measure) -> bool:
        """Whether one aggregate is enough: sums and means of whole numbers need no second pass."""
        return base.type == "integer" and not self.deviation


@dataclass(frozen=True)
class _DistinctSet:
    """A rule on the distinct values of a column: none outside the set, all of the set, or both."""

    inside: bool
    complete: bool
    counts: bool = True
    odd: tuple[Function, ...] = ()

    def request(self, rule: Rule, base: Measure, columns: Columns) -> AggregateRequest:
        return AggregateRequest(self._outside(rule, base, columns) + self._each(rule, base, columns))

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
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
        return (_function(base, "matching", f"not {members}"),) if self.inside else ()

    def _each(self, rule: Rule, base: Measure, columns: Columns) -> tuple[Measure, ...]:
        column, values = columns[str(base.column)], rule.kwargs["value_set"] if self.complete else ()
        return tuple(_function(base, "matching", in_set(column, [value])) for value in values)


@dataclass(frozen=True)
class _Quantiles:
    """A range for each of several quantiles (the least value that so large a share of the rows does not exceed)."""

    counts: bool = False
    odd: tuple[Function, ...] = ("nan",)

    def request(self, rule: Rule, base: Measure, _: Columns) -> AggregateRequest:
        return AggregateRequest((*_functions(base, *_odd(self.odd, base)), *self._each(rule, base)))

    def judge(self, rule: Rule, base: Measure, _: Columns, results: AggregateResults) -> Outcome:
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
        return tuple(_function(base, "quantile", repr(float(item))) for item in quantiles)


def _in_range(value: float | None, low: float | None, high: float | None) -> bool:
    """GX lets a quantile lie beyond an end by one part in 10,000."""
    if value is None:
        return False
    near = any(end is not None and math.isclose(value, end, rel_tol=1e-4) for end in (low, high))
    return near or ((low is None or low <= value) and (high is None or value <= high))


@dataclass(frozen=True)
class _MostCommon:
    """The value (or values) of most rows are in a set."""

    counts: bool = False
    odd: tuple[Function, ...] = ()

    def request(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        return AggregateRequest(_functions(base, "mode"))

    def judge(self, rule: Rule, base: Measure, columns: Columns, results: AggregateResults) -> Outcome:
        kind = columns[str(base.column)].type
        found = [shown_value(value, kind) for value in results.measures[_function(base, "mode")]]
        wanted = [shown_value(comparable(value, kind), kind) for value in rule.kwargs["value_set"]]
        allowed = [value for value in found if value in wanted]
        ok = bool(allowed) if rule.kwargs.get("ties_okay") else len(found) == len(allowed) == 1
        words = f"{len(found)} values stand most often, {len(allowed)} of them in the set"
        return table_outcome(rule, broken=not ok, words=words, observed_value=found)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


_KINDS: Final[dict[str, _Bounded | _Summed | _DistinctSet | _Quantiles | _MostCommon]] = {
    "expect_table_row_count_to_be_between": _Bounded(
        "the number of rows that pass", ("rows",), int, counts=True
    ),
    "expect_column_min_to_be_between": _Bounded("the least value", ("min",), lambda found: found),
    "expect_column_max_to_be_between": _Bounded("the greatest value", ("max",), lambda found: found),
    "expect_column_median_to_be_between": _Bounded("the median", ("median",), lambda found: found),
    "expect_column_sum_to_be_between": _Summed("the sum", lambda found: found.total if found.count else None),
    "expect_column_mean_to_be_between": _Summed("the mean", lambda found: found.mean),
    "expect_column_stdev_to_be_between": _Summed(
        "the standard deviation", lambda found: found.stdev, deviation=True
    ),
    "expect_column_unique_value_count_to_be_between": _Bounded(
        "the number of distinct values", ("distinct",), int, counts=True
    ),
    "expect_column_proportion_of_unique_values_to_be_between": _Bounded(
        "the share of distinct values", ("distinct", "present"), _share, counts=True
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": _Bounded(
        "the share of values that are not NULL", ("present", "rows"), _share, counts=True
    ),
    "expect_column_distinct_values_to_be_in_set": _DistinctSet(inside=True, complete=False),
    "expect_column_distinct_values_to_contain_set": _DistinctSet(inside=False, complete=True),
    "expect_column_distinct_values_to_equal_set": _DistinctSet(inside=True, complete=True),
    "expect_column_quantile_values_to_be_between": _Quantiles(),
    "expect_column_most_common_value_to_be_in_set": _MostCommon(),
}
