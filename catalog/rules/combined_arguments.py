"""What is wrong with the arguments of a rule taken together, each of which is right by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from catalog.contract import Column, Contract, Severity
from catalog.rules.arguments import example, fits
from catalog.rules.distribution_rules import distribution_mistakes
from catalog.rules.mistake import Mistake, number
from catalog.rules.partition import partition_mistakes

_DAY: Final = 86400
_COUNTED: Final = ("lengths", "count")
_COMPUTED: Final = ("_sum_", "_mean_", "_median_", "_stdev_")
_ONE_TYPE: Final = "compare columns of one type"


def combined_mistakes(
    contract: Contract, type_: str, kwargs: dict[str, Any], severity: Severity
) -> Iterator[Mistake]:
    """What is wrong with the arguments of a rule taken together.

    Args:
        contract: The contract of its columns.
        type_: Its expectation type.
        kwargs: Its arguments.
        severity: What it does when it is broken.
    """
    columns = [contract.column(kwargs[name]) for name in ("column_A", "column_B") if name in kwargs]
    column = contract.column(kwargs["column"]) if "column" in kwargs else None
    if kwargs.get("mostly", 1) != 1 and severity == "quarantine":
        fix = "leave mostly out: each row that breaks the rule is quarantined; maxQuarantined bounds them"
        yield Mistake("mostly means nothing for severity quarantine", "mostly", fix)
    if "condition_parser" in kwargs and not isinstance(kwargs.get("row_condition"), str):
        what = "condition_parser without a row_condition in text"
        yield Mistake(what, "condition_parser", "leave it out")
    yield from distribution_mistakes(contract, type_, kwargs)
    if column is not None and "partition_object" in kwargs:
        given = kwargs["partition_object"]
        values = given.get("values") if isinstance(given, dict) else None
        fit = isinstance(values, list) and all(fits(column, value) for value in values)
        yield from partition_mistakes(column, kwargs, fit=fit)
    yield from _bounds(column, type_, kwargs)
    yield from _order(contract, type_, kwargs)
    yield from _reference(column, type_, kwargs)
    if column is not None:
        yield from _cutoff(column, contract, kwargs)
        yield from _set(column, kwargs.get("value_set", []))
    if "value_pairs_set" in kwargs:
        yield from _pairs(columns, kwargs["value_pairs_set"])
    elif columns:
        a, b = columns
        if a.type != b.type and not {a.type, b.type} <= {"integer", "double"}:
            what = f"{a.name} is of type {a.type}, {b.name} of type {b.type}"
            yield Mistake(what, "column_B", _ONE_TYPE)


def _bounds(column: Column | None, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    for name in ("min_value", "max_value"):
        value = kwargs.get(name)
        if value is None or "distribution" in type_:  # there a distance, whatever the column's type
            continue
        if any(word in type_ for word in _COUNTED):
            if type(value) is not int or value < 0:
                yield Mistake(f"{name} is {value!r}", name, "use a whole number, 0 or more")
        elif "proportion" in type_:
            if not number(value) or not 0 <= value <= 1:
                yield Mistake(f"{name} is {value!r}", name, "use a share from 0 to 1")
        elif number(value) and any(word in type_ for word in _COMPUTED):
            continue
        elif column and not fits(column, value):
            what = f"{name} {value!r} can't be compared with column {column.name!r} of type {column.type}"
            yield Mistake(what, name, example(column))
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    comparable = (number(low) and number(high)) or (isinstance(low, str) and isinstance(high, str))
    if low is not None and high is not None and comparable and low > high:
        yield Mistake(f"min_value {low!r} lies above max_value {high!r}", "min_value", "exchange them")


def _order(contract: Contract, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    if "order_by" in kwargs and kwargs["keep"] == "none":
        what = "order_by chooses a row, and keep: none keeps none"
        yield Mistake(what, "order_by", "leave it out, or keep first or last")
    if type_ == "expect_rows_not_to_be_delivered_again" and contract.write_mode != "append":
        table = "an upsert table" if contract.write_mode == "upsert" else "a replace table"
        what = f"a delivery of {table} may hold the same rows as one before"
        yield Mistake(what, None, "leave the rule out; the same bytes are `unchanged` anyway")
    if type_ == "expect_column_values_to_be_within_watermark" and contract.write_mode == "upsert":
        what = "an upsert table takes rows in any order, and holds each key's newest"
        fix = "leave the rule out: a row that is too late is outdated, and counted as such"
        yield Mistake(what, None, fix)


def _reference(column: Column | None, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    for own, there in (("on", "reference_on"), ("by", "reference_by")):
        counts = len(kwargs.get(own, ())), len(kwargs.get(there, ()))
        if counts[0] != counts[1] and "reference" in kwargs:
            yield Mistake(f"{own} and {there} name {counts[0]} and {counts[1]} columns", own, "name as many")
    if column is None:
        return
    needs_tolerance = type_ == "expect_sum_to_agree_with_reference" and column.type == "double"
    if needs_tolerance and not kwargs.get("tolerance"):
        what = "sums of numbers with a fraction need a tolerance"
        yield Mistake(what, "tolerance" if "tolerance" in kwargs else "", "add one, such as 0.01")
    days = type_ == "expect_series_to_have_no_gaps" and column.type == "date"
    if days and kwargs["step_seconds"] % _DAY:
        what = f"step_seconds {kwargs['step_seconds']} is no number of days"
        yield Mistake(what, "step_seconds", f"write a multiple of {_DAY}")
    if column.name in kwargs.get("column_list", ()):
        yield Mistake(f"{column.name} determines itself", "column_list", "leave it out")


def _cutoff(column: Column, contract: Contract, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    if "cutoff" in kwargs and "cutoff_column" in kwargs:
        yield Mistake("both a cutoff and a cutoff_column", "cutoff", "keep one of them")
    elif "cutoff" in kwargs and not fits(column, kwargs["cutoff"]):
        cutoff = repr(kwargs["cutoff"])
        what = f"cutoff {cutoff} can't be compared with column {column.name!r} of type {column.type}"
        yield Mistake(what, "cutoff", example(column))
    elif "cutoff_column" in kwargs:
        other = contract.column(kwargs["cutoff_column"])
        if other.type != column.type:
            what = f"{column.name} is of type {column.type}, {other.name} of type {other.type}"
            yield Mistake(what, "cutoff_column", _ONE_TYPE)


def _set(column: Column, values: list[Any]) -> Iterator[Mistake]:
    if column.personal and values:
        what = f"column {column.name!r} is personal, and a rule's values are part of every result"
        yield Mistake(what, "value_set", "use a pattern, or a relationship with a reference dataset")
    for value in values:
        if not fits(column, value):
            what = f"{value!r} in value_set can't be a value of column {column.name!r} of type {column.type}"
            yield Mistake(what, "value_set", example(column))


def _pairs(columns: list[Column], pairs: list[Any]) -> Iterator[Mistake]:
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != len(columns):
            fix = "write a list of pairs, such as [[a, 1], [b, null]]"
            yield Mistake(f"{pair!r} is no pair of values", "value_pairs_set", fix)
            return
        for column, value in zip(columns, pair, strict=True):
            if value is not None and not fits(column, value):
                place = f"column {column.name!r} of type {column.type}"
                what = f"{value!r} in value_pairs_set can't be a value of {place}"
                yield Mistake(what, "value_pairs_set", example(column))
    if any(column.personal for column in columns):
        what = "a column is personal, and a rule's values are part of every result"
        yield Mistake(what, "value_pairs_set", "leave that column out")
