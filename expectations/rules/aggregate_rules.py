"""Table rules that SQL aggregates of a column decide: from expectation types to aggregates, and to outcomes.

What a kind of rule needs and checks is in `number_rules` and `value_rules`, the SQL in `aggregates`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from expectations.rules.aggregates import AggregateRequest, AggregateResults, Measure
from expectations.rules.number_rules import Bounded, Summed
from expectations.rules.row_rules import condition_of
from expectations.rules.value_rules import DistinctSet, MostCommon, Quantiles
from expectations.suite import Rule
from expectations.typed_frame import Columns
from expectations.verdict import Outcome, table_outcome


def aggregates_of(rule: Rule, columns: Columns) -> AggregateRequest | None:
    """The aggregates that a table rule needs; None where aggregates don't decide its type."""
    kind = _KINDS.get(rule.type)
    return None if kind is None else kind.request(rule, _base(rule, columns), columns)


def judge_aggregates(rule: Rule, columns: Columns, results: AggregateResults) -> Outcome:
    """A table rule's outcome; what was observed of a personal column is left out of it (promise P6)."""
    kind, base = _KINDS[rule.type], _base(rule, columns)
    if any(results.measures[item] for item in base.each(*base.odd(kind.odd))):
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


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


_KINDS: Final[dict[str, Bounded | Summed | DistinctSet | Quantiles | MostCommon]] = {
    "expect_table_row_count_to_be_between": Bounded(
        "the number of rows that pass", ("rows",), int, counts=True
    ),
    "expect_column_min_to_be_between": Bounded("the least value", ("min",), lambda found: found),
    "expect_column_max_to_be_between": Bounded("the greatest value", ("max",), lambda found: found),
    "expect_column_median_to_be_between": Bounded("the median", ("median",), lambda found: found),
    "expect_column_sum_to_be_between": Summed("the sum", lambda found: found.total if found.count else None),
    "expect_column_mean_to_be_between": Summed("the mean", lambda found: found.mean),
    "expect_column_stdev_to_be_between": Summed(
        "the standard deviation", lambda found: found.stdev, deviation=True
    ),
    "expect_column_unique_value_count_to_be_between": Bounded(
        "the number of distinct values", ("distinct",), int, counts=True
    ),
    "expect_column_proportion_of_unique_values_to_be_between": Bounded(
        "the share of distinct values", ("distinct", "present"), _share, counts=True
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": Bounded(
        "the share of values that are not NULL", ("present", "rows"), _share, counts=True
    ),
    "expect_column_distinct_values_to_be_in_set": DistinctSet(inside=True, complete=False),
    "expect_column_distinct_values_to_contain_set": DistinctSet(inside=False, complete=True),
    "expect_column_distinct_values_to_equal_set": DistinctSet(inside=True, complete=True),
    "expect_column_quantile_values_to_be_between": Quantiles(),
    "expect_column_most_common_value_to_be_in_set": MostCommon(),
}
