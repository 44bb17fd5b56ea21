r"""Row rules as SQL: for each expectation type, an expression that is true where a row breaks it.

NULL passes every rule but those about NULL, and NaN lies outside every bound and set: docs/null-and-nan.md is
the whole truth table, and says where Great Expectations' own engines differ.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, Final

from catalog.contract import Column
from catalog.expressions.condition import sql_of
from catalog.expressions.patterns import portable
from catalog.expressions.spark_sql import all_of, any_of, literal, quoted, text
from catalog.rules.expectation_types import NESTED_FIELDS, REPEATED_HEADER
from expectations.rules.joins import same
from expectations.rules.time_rules import TIME_RULES
from expectations.suite import Rule
from expectations.typed_frame import Columns, nested_marker, reference_marker, text_column


def broken_when(rule: Rule, columns: Columns) -> str | None:
    """The SQL that is true where a row breaks the rule (NULL means no); None where its type has none."""
    if (make := _MADE.get(rule.type)) is None:
        return None
    return all_of([*within(rule, columns), make(rule.kwargs, columns)])


def within(rule: Rule, columns: Columns) -> list[str]:
    """What holds of rows that the rule judges: its row condition, and which missing values it ignores."""
    parts = condition_of(rule, columns)
    if "column_A" in rule.kwargs or "column_list" in rule.kwargs:
        names = rule.kwargs.get("column_list") or [rule.kwargs["column_A"], rule.kwargs["column_B"]]
        present = [f"{quoted(name)} is not null" for name in names]
        ignored = rule.kwargs.get("ignore_row_if") or (
            "both_values_are_missing" if "column_A" in rule.kwargs else "all_values_are_missing"
        )
        if ignored in ("both_values_are_missing", "all_values_are_missing"):
            parts.append(any_of(present))
        elif ignored in ("either_value_is_missing", "any_value_is_missing"):
            parts += present
    return parts


def condition_of(rule: Rule, columns: Columns) -> list[str]:
    """The rule's row condition, as none or one SQL expression."""
    condition = rule.kwargs.get("row_condition")
    return [sql_of(condition, columns)] if condition else []


def _between(kwargs: dict[str, Any], columns: Columns) -> str:
    column = columns[kwargs["column"]]
    parts = _outside(quoted(column.name), kwargs, lambda value: literal(value, column.type))
    return any_of([*parts, *_not_a_number(column)])


def _outside(what: str, kwargs: dict[str, Any], written: Callable[[Any], str]) -> list[str]:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    parts = []
    if low is not None:
        parts.append(f"{what} {'<=' if kwargs.get('strict_min') else '<'} {written(low)}")
    if high is not None:
        parts.append(f"{what} {'>=' if kwargs.get('strict_max') else '>'} {written(high)}")
    return parts


def _not_a_number(*columns: Column) -> list[str]:
    return [f"isnan({quoted(column.name)})" for column in columns if column.type == "double"]


def in_set(column: Column, values: list[Any]) -> str:
    """SQL: whether a column's value is in a list (NULL where it is NULL).

    Sail's lists tell -0.0 from 0.0; a sum doesn't.
    """
    (value,) = same([column])
    return f"{value} in ({', '.join(literal(value, column.type) for value in values)})"


def _matches(kwargs: dict[str, Any]) -> list[str]:
    column = quoted(kwargs["column"])
    if "regex" in kwargs or "regex_list" in kwargs:
        patterns = kwargs.get("regex_list") or [kwargs["regex"]]
        return [f"{column} rlike {text(portable(item))}" for item in patterns]
    patterns = kwargs.get("like_pattern_list") or [kwargs["like_pattern"]]
    return [f"{column} like {text(item)}" for item in patterns]


def _unmatched(kwargs: dict[str, Any], _: Columns) -> str:
    joined = all_of(_matches(kwargs)) if kwargs.get("match_on") == "all" else any_of(_matches(kwargs))
    return f"not {joined}"


def _matched(kwargs: dict[str, Any], _: Columns) -> str:
    return any_of(_matches(kwargs))


def _length(kwargs: dict[str, Any], _: Columns) -> str:
    length = f"length({quoted(kwargs['column'])})"
    return f"{length} <> {kwargs['value']}" if "value" in kwargs else any_of(_outside(length, kwargs, str))


def _not_greater(kwargs: dict[str, Any], columns: Columns) -> str:
    first, second = columns[kwargs["column_A"]], columns[kwargs["column_B"]]
    compared = f"{quoted(first.name)} {'<' if kwargs.get('or_equal') else '<='} {quoted(second.name)}"
    missing = [f"{quoted(one.name)} is null" for one in (first, second)]
    # NaN is neither more nor less than anything; beside a NULL there is nothing to compare it with.
    numbers = [all_of([part, *(f"not {item}" for item in missing)]) for part in _not_a_number(first, second)]
    return any_of([compared, *numbers])


def _unequal(kwargs: dict[str, Any], _: Columns) -> str:
    names = kwargs.get("column_list") or [kwargs["column_A"], kwargs["column_B"]]
    return any_of([f"not ({quoted(names[0])} <=> {quoted(name)})" for name in names[1:]])


def _not_a_pair(kwargs: dict[str, Any], columns: Columns) -> str:
    first, second = columns[kwargs["column_A"]], columns[kwargs["column_B"]]
    pairs = [
        all_of([_equals(first, one), _equals(second, other)]) for one, other in kwargs["value_pairs_set"]
    ]
    return f"not {any_of(pairs)}"


def _equals(column: Column, value: Any) -> str:
    return f"{quoted(column.name)} <=> {'null' if value is None else literal(value, column.type)}"


def _sum_differs(kwargs: dict[str, Any], columns: Columns) -> str:
    names, total = kwargs["column_list"], kwargs["sum_total"]
    addends = [f"coalesce({quoted(name)}, 0)" for name in names]
    if all(columns[name].type == "integer" for name in names):  # 64 bits may overflow, 38 digits can't
        return f"{' + '.join(f'cast({item} as decimal(38, 0))' for item in addends)} <> {total!r}"
    return f"{' + '.join(addends)} <> {float(total)!r}D"


def _repeated_in_record(kwargs: dict[str, Any], _: Columns) -> str:
    return any_of([f"{quoted(a)} <=> {quoted(b)}" for a, b in combinations(kwargs["column_list"], 2)])


def _not_of_declared_type(kwargs: dict[str, Any], columns: Columns) -> str:
    column = columns[kwargs["column"]]
    return f"({quoted(text_column(column.name))} is not null and {quoted(column.name)} is null)"


def _repeats_header(kwargs: dict[str, Any], columns: Columns) -> str:
    """Compares delivered texts; first those of typed columns, which are NULL in sound rows."""
    typed, texts = [], []
    for name, header in zip(kwargs["column_list"], kwargs["header"], strict=True):
        if columns[name].type == "string":
            texts.append(f"{quoted(name)} = {text(header)}")
        else:
            typed.append(f"{quoted(text_column(name))} = {text(header)}")
    return all_of(typed + texts)


def _not_as_declared(kwargs: dict[str, Any], columns: Columns) -> str:
    """The parser checked the JSON text: engines differ in the numbers, nesting and surrogates they accept."""
    column = columns[kwargs["column"]]
    checks = [(check, path) for check, path, _ in column.nested.checks()] if column.nested else []
    place = checks.index((kwargs["check"], kwargs["path"])) + 1
    return f"substring({quoted(nested_marker(column.name))}, {place}, 1) = '1'"


def _not_in_reference(kwargs: dict[str, Any], _: Columns) -> str:
    column = kwargs["column"]
    marker = reference_marker(column, kwargs["reference"], kwargs["reference_column"])
    return f"({quoted(column)} is not null and {quoted(marker)} is null)"


_MADE: Final[dict[str, Callable[[dict[str, Any], Columns], str]]] = {
    **TIME_RULES,
    "expect_rows_to_satisfy": lambda kwargs, columns: f"not {sql_of(kwargs['condition'], columns)}",
    "expect_column_values_to_not_be_null": lambda kwargs, _: f"{quoted(kwargs['column'])} is null",
    "expect_column_values_to_be_null": lambda kwargs, _: f"{quoted(kwargs['column'])} is not null",
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": lambda kwargs, columns: (
        f"not {in_set(columns[kwargs['column']], kwargs['value_set'])}"
    ),
    "expect_column_values_to_not_be_in_set": lambda kwargs, columns: in_set(
        columns[kwargs["column"]], kwargs["value_set"]
    ),
    "expect_column_values_to_match_regex": _unmatched,
    "expect_column_values_to_not_match_regex": _matched,
    "expect_column_values_to_match_regex_list": _unmatched,
    "expect_column_values_to_not_match_regex_list": _matched,
    "expect_column_values_to_match_like_pattern": _unmatched,
    "expect_column_values_to_not_match_like_pattern": _matched,
    "expect_column_values_to_match_like_pattern_list": _unmatched,
    "expect_column_values_to_not_match_like_pattern_list": _matched,
    "expect_column_value_lengths_to_be_between": _length,
    "expect_column_value_lengths_to_equal": _length,
    "expect_column_pair_values_a_to_be_greater_than_b": _not_greater,
    "expect_column_pair_values_to_be_equal": _unequal,
    "expect_column_pair_values_to_be_in_set": _not_a_pair,
    "expect_multicolumn_sum_to_equal": _sum_differs,
    "expect_multicolumn_values_to_be_equal": _unequal,
    "expect_select_column_values_to_be_unique_within_record": _repeated_in_record,
    "expect_column_values_to_be_of_declared_type": _not_of_declared_type,
    NESTED_FIELDS: _not_as_declared,
    REPEATED_HEADER: _repeats_header,
    "expect_column_values_to_exist_in_reference": _not_in_reference,
}
