"""Which rules need joins or a query of their own: from expectation types to join rules and query rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Final

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of
from expectations.rules.cross_table_joins import (
    BehindWatermark,
    ForeignKey,
    FunctionalDependency,
    MatchesReference,
)
from expectations.rules.joins import AlreadyPublished, JoinRule, KeepOnePerKey, present
from expectations.rules.majority import MajorityDependency
from expectations.rules.queries.control_totals import Totals
from expectations.rules.queries.partition_divergence import Divergence
from expectations.rules.queries.query_rules import Delivered, HelperColumn, QueryRule, Repeats, Splits
from expectations.rules.queries.time_series_rules import Gaps, Offsets, offset_sql
from expectations.rules.row_rules import condition_of
from expectations.suite import Rule
from expectations.typed_frame import HELPER, Columns


def _tag(rule: Rule) -> str:
    """The rule's id as part of a helper column's name. Engines split names of columns at an id's dots."""
    return f"{re.sub('[^A-Za-z0-9]+', '_', rule.id)[:40]}_{hashlib.sha256(rule.id.encode()).hexdigest()[:8]}"


def join_rule_of(rule: Rule, columns: Columns) -> JoinRule | None:
    """The joins of a row rule; None where it needs none."""
    made = _JOIN_RULES.get(rule.type)
    return None if made is None else made(rule, columns)


def query_rule_of(rule: Rule, columns: Columns, *, replaces: bool) -> QueryRule | None:
    """The query of a table rule; None where it needs none.

    Args:
        rule: Any rule.
        columns: The contract's columns.
        replaces: Whether a drop replaces the table, or is appended to it.
    """
    if rule.type == TOTALS:
        return _totals(rule, columns, complete=replaces)
    made = _QUERY_RULES.get(rule.type)
    return None if made is None else made(rule, columns)


def _keep_one(rule: Rule, columns: Columns) -> KeepOnePerKey:
    key, order = _listed(rule, columns), _listed(rule, columns, "order_by")
    where = all_of([*condition_of(rule, columns), *present(key)])
    return KeepOnePerKey(_tag(rule), key, where, null_safe=False, keep=rule.kwargs["keep"], order=order)


def _distinct(rule: Rule, columns: Columns) -> KeepOnePerKey:
    where, all_columns = _where(rule, columns), tuple(columns.values())
    return KeepOnePerKey(_tag(rule), all_columns, where, null_safe=True, keep="first")


def _delivered(rule: Rule, columns: Columns) -> Delivered:
    again = AlreadyPublished(_tag(rule), _listed(rule, columns) or tuple(columns.values()))
    return Delivered(HelperColumn(f"{HELPER}delivered_{_tag(rule)}", again.broken, again))


def _repeats(rule: Rule, columns: Columns) -> Repeats:
    return Repeats(_listed(rule, columns), _where(rule, columns))


def _splits(rule: Rule, columns: Columns) -> Splits:
    return Splits(_listed(rule, columns), columns[rule.kwargs["split_column"]], _where(rule, columns))


def _offsets(rule: Rule, columns: Columns) -> Offsets:
    helper = HelperColumn(f"{HELPER}offset_{_tag(rule)}", offset_sql(_column(rule, columns)))
    return Offsets(_where(rule, columns), helper)


def _gaps(rule: Rule, columns: Columns) -> Gaps:
    by = _listed(rule, columns, "by")
    return Gaps(_column(rule, columns), rule.kwargs["step_seconds"], by, _where(rule, columns))


def _totals(rule: Rule, columns: Columns, *, complete: bool) -> Totals:
    kwargs = rule.kwargs
    return Totals(
        _column(rule, columns),
        _listed(rule, columns, "by"),
        kwargs["reference"],
        kwargs["reference_column"],
        tuple(kwargs.get("reference_by", ())),
        kwargs.get("tolerance", 0),
        _where(rule, columns),
        complete,
    )


def _divergence(rule: Rule, columns: Columns) -> Divergence:
    return Divergence(_column(rule, columns), rule.kwargs["partition_object"], _where(rule, columns))


def _dependency(rule: Rule, columns: Columns) -> FunctionalDependency | MajorityDependency:
    made = MajorityDependency if rule.kwargs.get("keep") == "majority" else FunctionalDependency
    return made(_tag(rule), _listed(rule, columns), _column(rule, columns), _where(rule, columns))


def _foreign_key(rule: Rule, columns: Columns) -> ForeignKey:
    there = tuple(rule.kwargs["reference_column_list"])
    return ForeignKey(_tag(rule), _listed(rule, columns), rule.kwargs["reference"], there)


def _matches_reference(rule: Rule, columns: Columns) -> MatchesReference:
    kwargs = rule.kwargs
    there = (kwargs["reference"], tuple(kwargs["reference_on"]), kwargs["reference_column"])
    return MatchesReference(_tag(rule), _column(rule, columns), _listed(rule, columns, "on"), *there)


def _late(rule: Rule, columns: Columns) -> BehindWatermark:
    return BehindWatermark(_tag(rule), _column(rule, columns), rule.kwargs["max_late_seconds"])


def _column(rule: Rule, columns: Columns) -> Column:
    return columns[rule.kwargs["column"]]


def _listed(rule: Rule, columns: Columns, argument: str = "column_list") -> tuple[Column, ...]:
    return tuple(columns[name] for name in rule.kwargs.get(argument) or ())


def _where(rule: Rule, columns: Columns) -> str:
    return all_of(condition_of(rule, columns))


_JOIN_RULES: Final[dict[str, Callable[[Rule, Columns], JoinRule]]] = {
    "expect_key_to_stand_once": _keep_one,
    "expect_rows_to_be_distinct": _distinct,
    "expect_columns_to_determine": _dependency,
    "expect_compound_columns_to_exist_in_reference": _foreign_key,
    "expect_column_to_agree_with_reference": _matches_reference,
    "expect_column_values_to_be_within_watermark": _late,
}
_QUERY_RULES: Final[dict[str, Callable[[Rule, Columns], QueryRule]]] = {
    "expect_rows_not_to_be_delivered_again": _delivered,
    "expect_no_burst_of_repeats": _repeats,
    "expect_no_overlap_between_splits": _splits,
    "expect_column_offsets_to_agree": _offsets,
    "expect_series_to_have_no_gaps": _gaps,
    "expect_column_kl_divergence_to_be_less_than": _divergence,
}
TOTALS: Final = "expect_sum_to_agree_with_reference"
LOOK_UPS: Final = frozenset(_JOIN_RULES)
"""Types of row rules that need joins."""
QUERIES: Final = frozenset(_QUERY_RULES) | {TOTALS}
"""Types of table rules that take a query of their own."""
