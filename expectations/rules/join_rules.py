"""Which rules look something up or take a query of their own: from expectation types to marks and questions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Final

from catalog.contract import Column
from catalog.expressions.condition import sql_of
from catalog.expressions.spark_sql import all_of
from expectations.rules.control_totals import Totals
from expectations.rules.cross_table_joins import (
    BehindWatermark,
    ForeignKey,
    FunctionalDependency,
    MatchesReference,
)
from expectations.rules.joins import AlreadyPublished, JoinRule, KeepOnePerKey, present
from expectations.rules.majority import Agreed
from expectations.rules.partition_divergence import Divergence
from expectations.rules.query_rules import Delivered, HelperColumn, QueryRule, Repeats, Splits
from expectations.rules.row_rules import Columns
from expectations.rules.time_series_rules import Gaps, Offsets, offset_sql
from expectations.suite import Rule
from expectations.typed_frame import HELPER


def condition_of(rule: Rule, columns: Columns) -> list[str]:
    """What the rule's row condition says, as none or one SQL expression."""
    condition = rule.kwargs.get("row_condition")
    return [sql_of(condition, columns)] if condition else []


def _tag(rule: Rule) -> str:
    """The rule's id as a part of column names: ids hold dots, which names of columns are taken apart at."""
    return f"{re.sub('[^A-Za-z0-9]+', '_', rule.id)[:40]}_{hashlib.sha256(rule.id.encode()).hexdigest()[:8]}"


def looked_up(rule: Rule, columns: Columns) -> JoinRule | None:
    """What a row rule looks up; None where it is no such rule."""
    made = _MARKS.get(rule.type)
    return None if made is None else made(rule, columns)


def questioned(rule: Rule, columns: Columns, *, replaces: bool) -> QueryRule | None:
    """What a table rule asks by a query of its own, of a table that a drop replaces or is appended to; None where it is no such rule."""
    if rule.type == "expect_sum_to_agree_with_reference":
        return _totals(rule, columns, complete=replaces)
    made = _QUESTIONS.get(rule.type)
    return None if made is None else made(rule, columns)


def _standing(rule: Rule, columns: Columns) -> KeepOnePerKey:
    key = [columns[name] for name in rule.kwargs["column_list"]]
    order = tuple(columns[name] for name in rule.kwargs.get("order_by", ()))
    where = all_of([*condition_of(rule, columns), *present(key)])
    return KeepOnePerKey(
        _tag(rule), tuple(key), where, null_safe=False, keep=rule.kwargs["keep"], order=order
    )


def _distinct(rule: Rule, columns: Columns) -> KeepOnePerKey:
    return KeepOnePerKey(
        _tag(rule), tuple(columns.values()), all_of(condition_of(rule, columns)), null_safe=True, keep="first"
    )


def _delivered(rule: Rule, columns: Columns) -> Delivered:
    key = rule.kwargs.get("column_list") or columns
    again = AlreadyPublished(_tag(rule), tuple(columns[name] for name in key))
    return Delivered(HelperColumn(f"{HELPER}delivered_{_tag(rule)}", again.broken, again))


def _repeats(rule: Rule, columns: Columns) -> Repeats:
    return Repeats(_listed(rule, columns), all_of(condition_of(rule, columns)))


def _splits(rule: Rule, columns: Columns) -> Splits:
    return Splits(
        _listed(rule, columns), columns[rule.kwargs["split_column"]], all_of(condition_of(rule, columns))
    )


def _offsets(rule: Rule, columns: Columns) -> Offsets:
    carried = HelperColumn(f"{HELPER}offset_{_tag(rule)}", offset_sql(columns[rule.kwargs["column"]]))
    return Offsets(carried, all_of(condition_of(rule, columns)))


def _gaps(rule: Rule, columns: Columns) -> Gaps:
    by = _listed(rule, columns, "by")
    return Gaps(
        columns[rule.kwargs["column"]], rule.kwargs["step_seconds"], by, all_of(condition_of(rule, columns))
    )


def _totals(rule: Rule, columns: Columns, *, complete: bool) -> Totals:
    kwargs = rule.kwargs
    there = (kwargs["reference"], kwargs["reference_column"], tuple(kwargs.get("reference_by", ())))
    where = all_of(condition_of(rule, columns))
    return Totals(
        columns[kwargs["column"]],
        _listed(rule, columns, "by"),
        *there,
        kwargs.get("tolerance", 0),
        where,
        complete,
    )


def _divergence(rule: Rule, columns: Columns) -> Divergence:
    return Divergence(
        columns[rule.kwargs["column"]], rule.kwargs["partition_object"], all_of(condition_of(rule, columns))
    )


def _determined(rule: Rule, columns: Columns) -> FunctionalDependency | Agreed:
    made = Agreed if rule.kwargs.get("keep") == "majority" else FunctionalDependency
    return made(
        _tag(rule),
        _listed(rule, columns),
        columns[rule.kwargs["column"]],
        all_of(condition_of(rule, columns)),
    )


def _referenced(rule: Rule, columns: Columns) -> ForeignKey:
    return ForeignKey(
        _tag(rule),
        _listed(rule, columns),
        rule.kwargs["reference"],
        tuple(rule.kwargs["reference_column_list"]),
    )


def _agreeing(rule: Rule, columns: Columns) -> MatchesReference:
    kwargs = rule.kwargs
    there = (kwargs["reference"], tuple(kwargs["reference_on"]), kwargs["reference_column"])
    return MatchesReference(_tag(rule), columns[kwargs["column"]], _listed(rule, columns, "on"), *there)


def _late(rule: Rule, columns: Columns) -> BehindWatermark:
    return BehindWatermark(_tag(rule), columns[rule.kwargs["column"]], rule.kwargs["max_late_seconds"])


def _listed(rule: Rule, columns: Columns, argument: str = "column_list") -> tuple[Column, ...]:
    return tuple(columns[name] for name in rule.kwargs.get(argument, ()))


_MARKS: Final[dict[str, Callable[[Rule, Columns], JoinRule]]] = {
    "expect_key_to_stand_once": _standing,
    "expect_rows_to_be_distinct": _distinct,
    "expect_columns_to_determine": _determined,
    "expect_compound_columns_to_exist_in_reference": _referenced,
    "expect_column_to_agree_with_reference": _agreeing,
    "expect_column_values_to_be_within_watermark": _late,
}
_QUESTIONS: Final[dict[str, Callable[[Rule, Columns], QueryRule]]] = {
    "expect_rows_not_to_be_delivered_again": _delivered,
    "expect_no_burst_of_repeats": _repeats,
    "expect_no_overlap_between_splits": _splits,
    "expect_column_offsets_to_agree": _offsets,
    "expect_series_to_have_no_gaps": _gaps,
    "expect_column_kl_divergence_to_be_less_than": _divergence,
}
LOOK_UPS: Final = frozenset(_MARKS)
"""Types of row rules that look something up."""
QUERIES: Final = frozenset(_QUESTIONS) | {"expect_sum_to_agree_with_reference"}
"""Types of table rules that take a query of their own."""
