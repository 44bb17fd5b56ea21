"""Table rules: what each asks of a column, and whether the answer keeps it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from catalog.contract import Column
from catalog.expressions.condition import sql_of
from expectations.rules.aggregates import Function, Measure, Seen, Spread, comparable, shown_value
from expectations.rules.row_rules import Columns, in_set
from expectations.suite import Rule
from expectations.verdict import Outcome


@dataclass(frozen=True)
class AggregateRequest:
    """What one table rule needs to know: aggregates, and columns whose sums take a second pass."""

    measures: tuple[Measure, ...]
    spread: Measure | None = None


@dataclass(frozen=True)
class AggregateResults:
    """What was found: aggregates by measure, spreads by the measure that asked for them."""

    measures: Seen
    spreads: dict[Measure, Spread]


def asked(rule: Rule, columns: Columns) -> AggregateRequest | None:
    """What a table rule asks of the data; None where the plan can't answer its type."""
    kind = _KINDS.get(rule.type)
    return None if kind is None else kind.asked(rule, _measured(rule, columns), columns)


def answer(rule: Rule, columns: Columns, answers: AggregateResults) -> Outcome:
    """A table rule's outcome; what was seen of a personal column is left out of it (promise P6)."""
    found = _KINDS[rule.type].answer(rule, _measured(rule, columns), columns, answers)
    column = columns.get(rule.kwargs.get("column", ""))
    return (
        replace(found, observed={})
        if column is not None and column.personal and not _KINDS[rule.type].counts
        else found
    )


def _measured(rule: Rule, columns: Columns) -> Measure:
    """A measure of the rule's column and rows, to be made into those that it needs."""
    condition = rule.kwargs.get("row_condition")
    where = sql_of(condition, columns) if condition else None
    column = columns.get(rule.kwargs.get("column", ""))
    return Measure("rows", column.name if column else None, column.type if column else None, where)


def _function(base: Measure, name: Function, detail: str = "") -> Measure:
    return replace(
        base,
        function=name,
        detail=detail,
        column=None if name == "rows" else base.column,
        type=None if name == "rows" else base.type,
    )


def outcome(rule: Rule, ok: bool, seen: Any, told: str) -> Outcome:  # noqa: FBT001
    """A table rule's outcome: kept or broken once."""
    return Outcome(rule, int(not ok), 1, {"observed_value": seen, "told": told})


def between(value: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a number (or text of a time) lies within the rule's bounds; nothing and NaN don't."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    above = low is None or (
        _beside(value, low) > low if kwargs.get("strict_min") else _beside(value, low) >= low
    )
    return above and (
        high is None
        or (_beside(value, high) < high if kwargs.get("strict_max") else _beside(value, high) <= high)
    )


def _beside(value: Any, bound: Any) -> Any:
    """A mean or median of whole numbers, exact beside a whole bound; a bound with a fraction was written as the double that it is."""
    return float(value) if isinstance(value, Fraction) and isinstance(bound, float) else value


@dataclass(frozen=True)
class _Bounded:
    """A rule on one number: the aggregates it comes from, and how."""

    label: str
    needs: tuple[Function, ...]
    value: Callable[..., Any]
    counts: bool = False
    """Whether it is a count or share, which tells nothing of any value."""

    def asked(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        return AggregateRequest(tuple(_function(base, name) for name in self._names(base)))

    def answer(self, rule: Rule, base: Measure, columns: Columns, answers: AggregateResults) -> Outcome:
        found = [answers.measures[_function(base, name)] for name in self._names(base)]
        if not self.counts and base.type == "double" and found[-1]:
            return outcome(rule, ok=False, seen=None, told=f"{base.column} holds NaN")
        return _within_bounds(
            rule,
            self.label,
            self.value(*found[: len(self.needs)]),
            None if self.counts else columns.get(base.column or ""),
        )

    def _names(self, base: Measure) -> tuple[Function, ...]:
        return self.needs if self.counts or base.type != "double" else (*self.needs, "nan")


@dataclass(frozen=True)
class _Summed:
    """A rule on a column's sum, mean or deviation."""

    label: str
    value: Callable[[Spread], float | Fraction | None]
    deviation: bool = False
    counts: bool = False

    def asked(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        doubles: tuple[Function, ...] = ("nan", "infinite") if base.type == "double" else ()
        if base.type == "integer" and not self.deviation:
            return AggregateRequest((_function(base, "total"), _function(base, "present")))
        needs: tuple[Function, ...] = ("present", "min", "max", *doubles)
        return AggregateRequest(tuple(_function(base, name) for name in needs), base)

    def answer(self, rule: Rule, base: Measure, columns: Columns, answers: AggregateResults) -> Outcome:
        if base.type == "double" and any(
            answers.measures[_function(base, name)] for name in ("nan", "infinite")
        ):
            return outcome(rule, ok=False, seen=None, told=f"{base.column} holds NaN or infinite numbers")
        if base.type == "integer" and not self.deviation:
            count, total = (answers.measures[_function(base, name)] or 0 for name in ("present", "total"))
            found = Spread(int(count), int(total), 0.0)
        else:
            found = answers.spreads[base]
        return _within_bounds(rule, self.label, self.value(found), columns[str(base.column)])


def _within_bounds(rule: Rule, label: str, value: Any, column: Column | None) -> Outcome:
    kwargs, shown = rule.kwargs, value
    if column is not None:
        kwargs = {
            key: comparable(item, column.type) if key in ("min_value", "max_value") else item
            for key, item in kwargs.items()
        }
        shown = shown_value(value, column.type)
    if isinstance(shown, Fraction):
        shown = int(shown) if shown.denominator == 1 else float(shown)
    return outcome(
        rule, between(value, kwargs), shown, f"{label} is {shown if shown is not None else 'nothing'}"
    )


@dataclass(frozen=True)
class _DistinctSet:
    """A rule on which values stand in a column: none outside the set, all of the set, or both."""

    inside: bool
    complete: bool
    counts: bool = True

    def asked(self, rule: Rule, base: Measure, columns: Columns) -> AggregateRequest:
        return AggregateRequest(
            ((self._outside(rule, base, columns),) if self.inside else ()) + self._each(rule, base, columns)
        )

    def answer(self, rule: Rule, base: Measure, columns: Columns, answers: AggregateResults) -> Outcome:
        outside = answers.measures[self._outside(rule, base, columns)] if self.inside else 0
        missing = sum(not answers.measures[item] for item in self._each(rule, base, columns))
        ok = not outside and not missing
        told = f"{outside} rows hold a value outside the set, {missing} of its values stand nowhere"
        return outcome(rule, ok, {"rows_outside": outside, "values_missing": missing}, told)

    @staticmethod
    def _outside(rule: Rule, base: Measure, columns: Columns) -> Measure:
        return _function(
            base, "standing", f"not {in_set(columns[str(base.column)], rule.kwargs['value_set'])}"
        )

    def _each(self, rule: Rule, base: Measure, columns: Columns) -> tuple[Measure, ...]:
        column = columns[str(base.column)]
        return (
            tuple(_function(base, "standing", in_set(column, [value])) for value in rule.kwargs["value_set"])
            if self.complete
            else ()
        )


@dataclass(frozen=True)
class _Quantiles:
    """A range for each of several quantiles (the least value that so large a share of the rows does not exceed)."""

    counts: bool = False

    def asked(self, rule: Rule, base: Measure, _: Columns) -> AggregateRequest:
        return AggregateRequest(
            (_function(base, "nan"), *self._each(rule, base))
            if base.type == "double"
            else self._each(rule, base)
        )

    def answer(self, rule: Rule, base: Measure, columns: Columns, answers: AggregateResults) -> Outcome:
        if columns[str(base.column)].type == "double" and answers.measures[_function(base, "nan")]:
            return outcome(rule, ok=False, seen=None, told=f"{base.column} holds NaN")
        values = [answers.measures[item] for item in self._each(rule, base)]
        ranges = rule.kwargs["quantile_ranges"]["value_ranges"]
        ok = all(_in_range(value, *ends) for value, ends in zip(values, ranges, strict=True))
        return outcome(
            rule,
            ok,
            {"quantiles": rule.kwargs["quantile_ranges"]["quantiles"], "values": values},
            f"quantiles are {values}",
        )

    @staticmethod
    def _each(rule: Rule, base: Measure) -> tuple[Measure, ...]:
        return tuple(
            _function(base, "quantile", repr(float(item)))
            for item in rule.kwargs["quantile_ranges"]["quantiles"]
        )


def _in_range(value: float | None, low: float | None, high: float | None) -> bool:
    """GX lets a quantile lie beyond an end by one part in 10,000."""
    if value is None:
        return False
    near = any(end is not None and math.isclose(value, end, rel_tol=1e-4) for end in (low, high))
    return near or ((low is None or low <= value) and (high is None or value <= high))


@dataclass(frozen=True)
class _MostCommon:
    """The value (or values) that stand most often belong to a set."""

    counts: bool = False

    def asked(self, _: Rule, base: Measure, __: Columns) -> AggregateRequest:
        return AggregateRequest((_function(base, "mode"),))

    def answer(self, rule: Rule, base: Measure, columns: Columns, answers: AggregateResults) -> Outcome:
        kind = columns[str(base.column)].type
        found = [shown_value(value, kind) for value in answers.measures[_function(base, "mode")]]
        wanted = [shown_value(comparable(value, kind), kind) for value in rule.kwargs["value_set"]]
        allowed = [value for value in found if value in wanted]
        ok = bool(allowed) if rule.kwargs.get("ties_okay") else len(found) == len(allowed) == 1
        return outcome(
            rule, ok, found, f"{len(found)} values stand most often, {len(allowed)} of them in the set"
        )


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
