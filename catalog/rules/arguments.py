"""The arguments of a rule, each checked by itself against a contract's columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from catalog.column_names import suggest_column
from catalog.contract import Column, ColumnType, Contract
from catalog.documents.document import suggest
from catalog.expressions.casts import on_calendar
from catalog.expressions.lint import condition_findings
from catalog.expressions.patterns import PORTABLE, unportable_pattern
from catalog.expressions.spark_sql import condition_sql
from catalog.rules.distribution_rules import BASELINES, METHODS, STATISTICS, group_by, shares
from catalog.rules.expectation_types import Expectation
from catalog.rules.json_schemas import json_schema
from catalog.rules.mistake import Mistake, number
from catalog.rules.scalars import SCALARS, VALUES, Scalar

SPARK_NAMES: Final[dict[ColumnType, str]] = {
    "string": "StringType",
    "integer": "LongType",
    "double": "DoubleType",
    "boolean": "BooleanType",
    "date": "DateType",
    "timestamp": "TimestampType",
}
"""What GX's Spark engine calls a column's type."""
Check = Callable[[Contract, Expectation, str, Any], Iterator[Mistake]]
"""What is wrong with an argument: its contract, its expectation type, its name and its value."""


def argument_mistakes(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    """What is wrong with one argument of a rule.

    Args:
        contract: The contract of the rule's columns.
        kind: The rule's expectation type.
        name: The argument's name.
        value: Its value.
    """
    if name in SCALARS:
        yield from _scalar(SCALARS[name], name, value)
    elif name in _CHECKS:
        yield from _CHECKS[name](contract, kind, name, value)


def _scalar(scalar: Scalar, name: str, value: Any) -> Iterator[Mistake]:
    if not scalar.fits(value):
        yield Mistake(scalar.wrong.format(name=name, value=value), name, scalar.fix)


def _one_column(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    known = [column.name for column in contract.columns]
    if value not in known:
        what = f"{contract.name} has no column {value!r}"
        yield Mistake(what, name, suggest_column(value, contract.columns))
    elif (type_ := contract.column(value).type) not in kind.types:
        what = f"column {value!r} is of type {type_}, which this rule can't judge"
        yield Mistake(what, name, f"name a column of type {' or '.join(sorted(kind.types))}")


def _columns(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, list) or not value:
        yield Mistake(f"{name} is no list of columns", name, "write a list, such as [a, b]")
        return
    for column in value:
        yield from _one_column(contract, kind, name, column)


def _any_columns(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    """Columns that the rule groups, orders or looks up by, whose type it doesn't judge."""
    yield from _columns(contract, replace(kind, types=frozenset(SPARK_NAMES)), name, value)


def _word(_: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    words = _WORDS.get(name, ())
    if name == "keep":
        words = ("majority", "none") if "column" in kind.needs else ("first", "last", "none")
    elif name == "ignore_row_if":
        words = _IGNORE_PAIR if "column_A" in kind.needs else _IGNORE_COLUMNS
    if value not in words:
        yield Mistake(f"{name} can't be {value!r}", name, suggest(value, words))


_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "match_on": ("any", "all"),
    "condition_parser": ("spark",),
    "baseline": BASELINES,
    "statistic": STATISTICS,
    "method": METHODS,
}
_IGNORE_PAIR: Final = ("both_values_are_missing", "either_value_is_missing", "neither")
_IGNORE_COLUMNS: Final = ("all_values_are_missing", "any_value_is_missing", "never")


def _each(check: Callable[[str, Any], Iterator[Mistake]]) -> Check:
    """A check of a value, or of each value of a list."""

    def checked(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
        if name.endswith("_list"):
            yield from _scalar(VALUES, name, value)
        for item in value if isinstance(value, list) else [value]:
            yield from check(name, item)

    return checked


def _regex(name: str, value: Any) -> Iterator[Mistake]:
    try:
        re.compile(value)
    except (re.error, TypeError) as error:
        yield Mistake(f"regex {value!r} is no pattern ({error})", name, "correct the pattern")
        return
    if (found := unportable_pattern(value)) is not None:
        yield Mistake(f"regex {value!r}: {found!r} does not mean the same on every engine", name, PORTABLE)


def _like(name: str, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, str) or not value:
        fix = "write text, where % is any text and _ any character"
        yield Mistake(f"{value!r} is no pattern of LIKE", name, fix)
    elif "\\" in value:
        what = f"{value!r} holds a backslash, which engines read differently in LIKE"
        yield Mistake(what, name, "use a regex")


def _type_name(name: str, value: Any) -> Iterator[Mistake]:
    if value not in SPARK_NAMES.values():
        what = f"{value!r} is no type that a column can have"
        yield Mistake(what, name, suggest(value, SPARK_NAMES.values()))


def _expression(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if isinstance(value, str):
        yield from _condition(contract, kind, name, value)
    else:
        fix = "write Spark SQL over a row's own columns, such as departed <= arrived"
        yield Mistake(f"{name} is no text", name, fix)


def _input(contract: Contract, _: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if value not in contract.inputs:
        yield Mistake(f"{value!r} is no input of {contract.name}", name, suggest(value, contract.inputs))


def _quantiles(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    example = "write {quantiles: [0.5], value_ranges: [[1, 9]]}"
    fix = f"{example}, a range for each quantile, null where it has no end"
    if not isinstance(value, dict) or value.keys() != {"quantiles", "value_ranges"}:
        yield Mistake(f"{name} needs quantiles and value_ranges, and nothing else", name, fix)
        return
    quantiles, ranges = value["quantiles"], value["value_ranges"]
    lists = isinstance(quantiles, list) and isinstance(ranges, list)
    if not lists or not quantiles or len(quantiles) != len(ranges):
        yield Mistake(f"{name} does not give one range for each quantile", name, fix)
    elif not all(number(item) and 0 <= item <= 1 for item in quantiles):
        yield Mistake(f"{name}: a quantile lies between 0 and 1", name, fix)
    elif not all(map(_is_range, ranges)):
        yield Mistake(f"{name}: a range has two ends", name, fix)


def _is_range(value: Any) -> bool:
    """Whether a value is a list of two numbers, each of which may be null."""
    return isinstance(value, list) and [end is None or number(end) for end in value] == [True, True]


def _condition(contract: Contract, _: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    columns = {column.name: column for column in contract.columns}
    try:
        sql = condition_sql(value, columns)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        fix = "write Spark SQL over this contract's columns, such as month = 1"
        yield Mistake(f"{name} can't be read: {error}", name, fix)
        return
    for what, fix in condition_findings(sql, columns, personal=contract.personal):
        yield Mistake(f"{name}: {what}", name, fix)


_CHECKS: Final[dict[str, Check]] = {
    **dict.fromkeys(("column", "column_A", "column_B", "cutoff_column", "split_column"), _one_column),
    **dict.fromkeys(("column_list", "column_set"), _columns),
    **dict.fromkeys(("order_by", "by", "on"), _any_columns),
    **dict.fromkeys(("match_on", "condition_parser", "ignore_row_if", "keep"), _word),
    **dict.fromkeys(("baseline", "statistic", "method"), _word),
    **dict.fromkeys(("regex", "regex_list"), _each(_regex)),
    **dict.fromkeys(("like_pattern", "like_pattern_list"), _each(_like)),
    **dict.fromkeys(("type_", "type_list"), _each(_type_name)),
    "other_table_name": _input,
    "quantile_ranges": _quantiles,
    "shares": shares,
    "group_by": group_by,
    "json_schema": json_schema,
    "row_condition": _condition,
    "condition": _expression,
}
"""By the argument's name; those of `SCALARS` need no contract."""


def fits(column: Column, value: Any) -> bool:
    """Whether a value in a contract can be compared with a column."""
    if column.type == "integer":
        return type(value) is int
    if column.type == "double":
        return number(value)
    if column.type == "boolean":
        return isinstance(value, bool)
    if column.type == "date":
        return isinstance(value, str) and _DATE.fullmatch(value) is not None and on_calendar(value)
    if column.type == "timestamp":
        return isinstance(value, str) and _TIME.fullmatch(value) is not None and on_calendar(value)
    return isinstance(value, str)


_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z?)?")


def example(column: Column) -> str:
    """How a value of a column's type is written."""
    samples = {
        "integer": "12",
        "double": "1.5",
        "boolean": "true",
        "date": '"2013-01-31"',
        "timestamp": '"2013-01-31T05:00:00Z"',
    }
    return f"write it like {samples.get(column.type, 'text in quotes')}"
