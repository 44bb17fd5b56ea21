"""Which rules look something up or take a query of their own: from expectation types to marks and questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from catalog.spark_sql import all_of
from expectations.frame import HELPER
from expectations.marks import Again, Mark, Standing, present
from expectations.questions import Carried, Delivered, Question, Repeats, Splits
from expectations.row_rules import Columns, within
from expectations.suite import Rule


def looked_up(rule: Rule, columns: Columns) -> Mark | None:
    """What a row rule looks up; None where it is no such rule."""
    made = _MARKS.get(rule.type)
    return None if made is None else made(rule, columns)


def questioned(rule: Rule, columns: Columns) -> Question | None:
    """What a table rule asks by a query of its own; None where it is no such rule."""
    made = _QUESTIONS.get(rule.type)
    return None if made is None else made(rule, columns)


def _standing(rule: Rule, columns: Columns) -> Standing:
    key = [columns[name] for name in rule.kwargs["column_list"]]
    order = tuple(columns[name] for name in rule.kwargs.get("order_by", ()))
    where = all_of([*_asked(rule, columns), *present(key)])
    return Standing(rule.id, tuple(key), where, null_safe=False, keep=rule.kwargs["keep"], order=order)


def _distinct(rule: Rule, columns: Columns) -> Standing:
    return Standing(rule.id, tuple(columns.values()), all_of(_asked(rule, columns)), null_safe=True, keep="first")


def _asked(rule: Rule, columns: Columns) -> list[str]:
    """What the row condition says, alone."""
    kwargs = {key: value for key, value in rule.kwargs.items() if key == "row_condition"}
    return within(Rule(rule.id, rule.type, kwargs, rule.severity, rule.family, rule.row_rule), columns)


def _delivered(rule: Rule, columns: Columns) -> Delivered:
    key = rule.kwargs.get("column_list") or columns
    again = Again(rule.id, tuple(columns[name] for name in key))
    return Delivered(Carried(f"{HELPER}delivered_{rule.id}", again.broken, again))


def _repeats(rule: Rule, columns: Columns) -> Repeats:
    return Repeats(_listed(rule, columns), all_of(_asked(rule, columns)))


def _splits(rule: Rule, columns: Columns) -> Splits:
    return Splits(_listed(rule, columns), columns[rule.kwargs["split_column"]], all_of(_asked(rule, columns)))


def _listed(rule: Rule, columns: Columns) -> tuple[Any, ...]:
    return tuple(columns[name] for name in rule.kwargs["column_list"])


_MARKS: Final[dict[str, Callable[[Rule, Columns], Mark]]] = {
    "expect_key_to_stand_once": _standing,
    "expect_rows_to_be_distinct": _distinct,
}
_QUESTIONS: Final[dict[str, Callable[[Rule, Columns], Question]]] = {
    "expect_rows_not_to_be_delivered_again": _delivered,
    "expect_no_burst_of_repeats": _repeats,
    "expect_no_overlap_between_splits": _splits,
}
LOOK_UPS: Final = frozenset(_MARKS)
"""Types of row rules that look something up."""
QUERIES: Final = frozenset(_QUESTIONS)
"""Types of table rules that take a query of their own."""
