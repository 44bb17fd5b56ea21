"""The arguments of a rule, each checked by itself against a contract's columns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from catalog.contract import Column, ColumnType, Contract
from catalog.document import suggest
from catalog.expectation_types import Expectation
from catalog.spark_sql import condition_sql
from catalog.sql_lint import condition_findings, unportable_pattern


@dataclass(frozen=True)
class Mistake:
    """A mistake in a rule: what, at which argument (None: its type; empty: the arguments as a whole), and what to do."""

    what: str
    argument: str | None
    fix: str


SPARK_NAMES: Final[dict[ColumnType, str]] = {
    "string": "StringType",
    "integer": "LongType",
    "double": "DoubleType",
    "boolean": "BooleanType",
    "date": "DateType",
    "timestamp": "TimestampType",
}
"""What GX's Spark engine calls a column's type."""

WHOLE_CLASS: Final = "write the class out, such as [0-9] or [A-Za-z0-9_], without look-around or back references"


def argument_mistakes(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    """What is wrong with one argument of a rule."""
    if name in _CHECKS:
        yield from _CHECKS[name](contract, kind, name, value)


def _one_column(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    known = [column.name for column in contract.columns]
    if value not in known:
        yield Mistake(f"{contract.name} has no column {value!r}", name, suggest(value, known))
    elif (type_ := contract.column(value).type) not in kind.types:
        what = f"column {value!r} is of type {type_}, which this rule can't judge"
        yield Mistake(what, name, f"name a column of type {' or '.join(sorted(kind.types))}")


def _columns(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, list) or not value:
        yield Mistake(f"{name} is no list of columns", name, "write a list, such as [a, b]")
        return
    for column in value:
        yield from _one_column(contract, kind, name, column)


def _flag(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, bool):
        yield Mistake(f"{name} is {value!r}", name, "use true or false")


def _word(_: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    words = {
        "match_on": ("any", "all"),
        "condition_parser": ("spark",),
        "keep": ("first", "last", "none"),
        "ignore_row_if": ("both_values_are_missing", "either_value_is_missing", "neither")
        if "column_A" in kind.needs
        else ("all_values_are_missing", "any_value_is_missing", "never"),
    }[name]
    if value not in words:
        yield Mistake(f"{name} can't be {value!r}", name, suggest(value, words))


def _values(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, list) or not value:
        yield Mistake(f"{name} is no list of values", name, "write a list, such as [a, b]")


def _each(check: Callable[[str, Any], Iterator[Mistake]]) -> Callable[[Contract, Expectation, str, Any], Iterator[Mistake]]:
    """A check of one value made into one of a value or a list of them."""

    def checked(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
        if name.endswith("_list"):
            yield from _values(contract, kind, name, value)
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
        yield Mistake(f"regex {value!r}: {found!r} does not mean the same on every engine", name, WHOLE_CLASS)


def _like(name: str, value: Any) -> Iterator[Mistake]:
    if not isinstance(value, str) or not value:
        yield Mistake(f"{value!r} is no pattern of LIKE", name, "write text, with % and _ where anything may stand")
    elif "\\" in value:
        yield Mistake(f"{value!r} holds a backslash, which engines read differently in LIKE", name, "use a regex")


def _type_name(name: str, value: Any) -> Iterator[Mistake]:
    if value not in SPARK_NAMES.values():
        yield Mistake(f"{value!r} is no type that a column can have", name, suggest(value, SPARK_NAMES.values()))


def _share(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if not (type(value) in (int, float) and 0 < value <= 1):
        yield Mistake(f"{name} is {value!r}", name, "write a share above 0 and at most 1, such as 0.95")


def _count(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if type(value) is not int or value < 0:
        yield Mistake(f"{name} is {value!r}", name, "use a whole number, 0 or more")


def _several(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if type(value) is not int or value < 1:
        yield Mistake(f"{name} is {value!r}", name, "use a whole number, 1 or more")


def _allowed(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if not (type(value) in (int, float) and 0 <= value < 1):
        yield Mistake(f"{name} is {value!r}", name, "write a share from 0 to less than 1, such as 0.1")


def _number(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if not number(value):
        yield Mistake(f"{name} is {value!r}", name, "write a number")


def _time_zone(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        yield Mistake(f"{name} {value!r} is no time zone", name, "write one of the IANA database, such as America/New_York")


def _expression(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if isinstance(value, str):
        yield from _condition(contract, kind, name, value)
    else:
        yield Mistake(f"{name} is no text", name, "write Spark SQL over a row's own columns, such as departed <= arrived")


def _input(contract: Contract, _: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if value not in contract.inputs:
        yield Mistake(f"{value!r} is no input of {contract.name}", name, suggest(value, contract.inputs))


def _quantiles(_: Contract, __: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    fix = "write {quantiles: [0.5], value_ranges: [[1, 9]]}, a range for each quantile, null where it has no end"
    if not isinstance(value, dict) or value.keys() != {"quantiles", "value_ranges"}:
        yield Mistake(f"{name} needs quantiles and value_ranges, and nothing else", name, fix)
        return
    quantiles, ranges = value["quantiles"], value["value_ranges"]
    if not isinstance(quantiles, list) or not isinstance(ranges, list) or len(quantiles) != len(ranges) or not quantiles:
        yield Mistake(f"{name} does not give one range for each quantile", name, fix)
    elif not all(number(item) and 0 <= item <= 1 for item in quantiles):
        yield Mistake(f"{name}: a quantile lies between 0 and 1", name, fix)
    elif not all(isinstance(item, list) and [end is None or number(end) for end in item] == [True, True] for item in ranges):
        yield Mistake(f"{name}: a range has two ends", name, fix)


def _condition(contract: Contract, _: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    columns = {column.name: column for column in contract.columns}
    try:
        sql = condition_sql(value, columns)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        yield Mistake(f"{name} can't be read: {error}", name, "write Spark SQL over this contract's columns, such as month = 1")
        return
    findings = list(condition_findings(sql, columns.keys(), personal=contract.personal))
    yield from (Mistake(f"{name}: {what}", name, fix) for what, fix in findings)


_CHECKS: Final[dict[str, Callable[[Contract, Expectation, str, Any], Iterator[Mistake]]]] = {
    **dict.fromkeys(("column", "column_A", "column_B", "cutoff_column", "split_column"), _one_column),
    **dict.fromkeys(("column_list", "column_set", "order_by"), _columns),
    **dict.fromkeys(("strict_min", "strict_max", "or_equal", "exact_match", "ties_okay"), _flag),
    **dict.fromkeys(("match_on", "condition_parser", "ignore_row_if", "keep"), _word),
    **dict.fromkeys(("regex", "regex_list"), _each(_regex)),
    **dict.fromkeys(("like_pattern", "like_pattern_list"), _each(_like)),
    **dict.fromkeys(("type_", "type_list"), _each(_type_name)),
    **dict.fromkeys(("value", "column_index", "tolerance_seconds"), _count),
    "value_set": _values,
    "value_pairs_set": _values,
    "mostly": _share,
    "max_share": _allowed,
    "max_repeats": _several,
    "sum_total": _number,
    "threshold": _number,
    "other_table_name": _input,
    "quantile_ranges": _quantiles,
    "row_condition": _condition,
    "condition": _expression,
    "time_zone": _time_zone,
}


def number(value: Any) -> bool:
    """Whether a value is a finite number (true and false are none)."""
    return type(value) in (int, float) and math.isfinite(value)


def fits(column: Column, value: Any) -> bool:
    """Whether a value in a contract can be compared with a column."""
    if column.type == "integer":
        return type(value) is int
    if column.type == "double":
        return number(value)
    if column.type == "boolean":
        return isinstance(value, bool)
    if column.type == "date":
        return isinstance(value, str) and _DATE.fullmatch(value) is not None
    if column.type == "timestamp":
        return isinstance(value, str) and _TIME.fullmatch(value) is not None
    return isinstance(value, str)


_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z?)?")


def example(column: Column) -> str:
    """How a value of a column's type is written."""
    samples = {"integer": "12", "double": "1.5", "boolean": "true", "date": '"2013-01-31"', "timestamp": '"2013-01-31T05:00:00Z"'}
    return f"write it like {samples.get(column.type, 'text in quotes')}"
