"""The arguments of a rule, each checked by itself against a contract's columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from catalog.column_names import suggest_column
from catalog.contract import Column, ColumnType, Contract
from catalog.documents.document import suggest
from catalog.expressions.lint import condition_findings
from catalog.expressions.patterns import PORTABLE, unportable_pattern
from catalog.expressions.spark_sql import condition_sql
from catalog.rules import scalars
from catalog.rules.distribution_rules import DISTRIBUTION_CHECKS
from catalog.rules.expectation_types import Expectation
from catalog.rules.json_schemas import json_schema
from catalog.rules.mistake import Mistake, number

SPARK_NAMES: Final[dict[ColumnType, str]] = {
    "string": "StringType",
    "integer": "LongType",
    "double": "DoubleType",
    "boolean": "BooleanType",
    "date": "DateType",
    "timestamp": "TimestampType",
}
"""What GX's Spark engine calls a column's type."""


def argument_mistakes(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    """What is wrong with one argument of a rule."""
    if name in _CHECKS:
        yield from _CHECKS[name](contract, kind, name, value)


def _one_column(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    known = [column.name for column in contract.columns]
    if value not in known:
        yield Mistake(
            f"{contract.name} has no column {value!r}", name, suggest_column(value, contract.columns)
        )
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
    words = {
        "match_on": ("any", "all"),
        "condition_parser": ("spark",),
        "keep": ("majority", "none") if "column" in kind.needs else ("first", "last", "none"),
        "ignore_row_if": ("both_values_are_missing", "either_value_is_missing", "neither")
        if "column_A" in kind.needs
        else ("all_values_are_missing", "any_value_is_missing", "never"),
    }[name]
    if value not in words:
        yield Mistake(f"{name} can't be {value!r}", name, suggest(value, words))


def _each(
    check: Callable[[str, Any], Iterator[Mistake]],
) -> Callable[[Contract, Expectation, str, Any], Iterator[Mistake]]:
    """A check of one value made into one of a value or a list of them."""

    def checked(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
        if name.endswith("_list"):
            yield from scalars.values(contract, kind, name, value)
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
        yield Mistake(
            f"{value!r} is no pattern of LIKE", name, "write text, with % and _ where anything may stand"
        )
    elif "\\" in value:
        yield Mistake(
            f"{value!r} holds a backslash, which engines read differently in LIKE", name, "use a regex"
        )


def _type_name(name: str, value: Any) -> Iterator[Mistake]:
    if value not in SPARK_NAMES.values():
        yield Mistake(
            f"{value!r} is no type that a column can have", name, suggest(value, SPARK_NAMES.values())
        )


def _expression(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if isinstance(value, str):
        yield from _condition(contract, kind, name, value)
    else:
        yield Mistake(
            f"{name} is no text",
            name,
            "write Spark SQL over a row's own columns, such as departed <= arrived",
        )


def _input(contract: Contract, _: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if value not in contract.inputs:
        yield Mistake(f"{value!r} is no input of {contract.name}", name, suggest(value, contract.inputs))


def _quantiles(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    fix = "write {quantiles: [0.5], value_ranges: [[1, 9]]}, a range for each quantile, null where it has no end"
    if not isinstance(value, dict) or value.keys() != {"quantiles", "value_ranges"}:
        yield Mistake(f"{name} needs quantiles and value_ranges, and nothing else", name, fix)
        return
    quantiles, ranges = value["quantiles"], value["value_ranges"]
    if (
        not isinstance(quantiles, list)
        or not isinstance(ranges, list)
        or len(quantiles) != len(ranges)
        or not quantiles
    ):
        yield Mistake(f"{name} does not give one range for each quantile", name, fix)
    elif not all(number(item) and 0 <= item <= 1 for item in quantiles):
        yield Mistake(f"{name}: a quantile lies between 0 and 1", name, fix)
    elif not all(
        isinstance(item, list) and [end is None or number(end) for end in item] == [True, True]
        for item in ranges
    ):
        yield Mistake(f"{name}: a range has two ends", name, fix)


def _condition(contract: Contract, _: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    columns = {column.name: column for column in contract.columns}
    try:
        sql = condition_sql(value, columns)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        yield Mistake(
            f"{name} can't be read: {error}",
            name,
            "write Spark SQL over this contract's columns, such as month = 1",
        )
        return
    findings = list(condition_findings(sql, columns, personal=contract.personal))
    yield from (Mistake(f"{name}: {what}", name, fix) for what, fix in findings)


_CHECKS: Final[dict[str, Callable[[Contract, Expectation, str, Any], Iterator[Mistake]]]] = {
    **dict.fromkeys(("column", "column_A", "column_B", "cutoff_column", "split_column"), _one_column),
    **dict.fromkeys(("column_list", "column_set"), _columns),
    **dict.fromkeys(("order_by", "by", "on"), _any_columns),
    **dict.fromkeys(("reference", "reference_column"), scalars.name),
    **dict.fromkeys(("reference_on", "reference_by"), scalars.names),
    **dict.fromkeys(("strict_min", "strict_max", "or_equal", "exact_match", "ties_okay"), scalars.flag),
    **dict.fromkeys(("match_on", "condition_parser", "ignore_row_if", "keep"), _word),
    **dict.fromkeys(("regex", "regex_list"), _each(_regex)),
    **dict.fromkeys(("like_pattern", "like_pattern_list"), _each(_like)),
    **dict.fromkeys(("type_", "type_list"), _each(_type_name)),
    **dict.fromkeys(
        ("value", "column_index", "tolerance_seconds", "max_late_seconds", "max_missing"), scalars.count
    ),
    "value_set": scalars.values,
    "value_pairs_set": scalars.values,
    "mostly": scalars.share,
    "max_share": scalars.allowed,
    "max_repeats": scalars.several,
    "step_seconds": scalars.several,
    "tolerance": scalars.tolerance,
    "sum_total": scalars.a_number,
    "threshold": scalars.a_number,
    "other_table_name": _input,
    "quantile_ranges": _quantiles,
    **DISTRIBUTION_CHECKS,
    "json_schema": json_schema,
    "row_condition": _condition,
    "condition": _expression,
    "time_zone": scalars.time_zone,
}


def fits(column: Column, value: Any) -> bool:
    """Whether a value in a contract can be compared with a column."""
    if column.type == "integer":
        return type(value) is int
    if column.type == "double":
        return number(value)
    if column.type == "boolean":
        return isinstance(value, bool)
    if column.type == "date":
        return isinstance(value, str) and _DATE.fullmatch(value) is not None and _stands(value)
    if column.type == "timestamp":
        return isinstance(value, str) and _TIME.fullmatch(value) is not None and _stands(value)
    return isinstance(value, str)


def _stands(value: str) -> bool:
    """Whether the calendar has the day and the clock the time, in the years 1 to 9999."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


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
