"""What is wrong with a rule, before any data is read: its type, its place, and its arguments taken together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from catalog.contract import Column, Contract, Family, Hop, Severity
from catalog.documents.document import suggest
from catalog.rules.arguments import argument_mistakes, example, fits
from catalog.rules.distribution_rules import distribution_mistakes
from catalog.rules.expectation_types import EXPECTATIONS, Expectation
from catalog.rules.mistake import Mistake, number
from catalog.rules.partition import partition_mistakes

FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
TABLE_SEVERITIES: Final[tuple[Severity, ...]] = ("trigger", "hold")
"""Severities that only a table rule can have."""
ROW_SEVERITIES: Final = tuple(severity for severity in SEVERITIES if severity not in TABLE_SEVERITIES)
"""Severities that a row rule can have."""
FEATURE_SEVERITIES: Final = tuple(severity for severity in ROW_SEVERITIES if severity != "quarantine")
"""Those that it can have at features: nothing is set aside there."""


def mistakes(
    contract: Contract, hop: Hop, type_: object, kwargs: dict[str, Any], severity: Severity
) -> Iterator[Mistake]:
    """What is wrong with a rule on the columns of this contract, at this hop."""
    kind = EXPECTATIONS.get(str(type_))
    if kind is None:
        known = [name for name, item in EXPECTATIONS.items() if not item.generated]
        yield Mistake(
            f"{str(type_)!r} is not an expectation type that Lakegate runs", None, suggest(type_, known)
        )
        return
    if kind.generated:
        yield Mistake(
            f"{type_} is made from the contract's schema",
            None,
            "leave it out; types, relationships and shares make it",
        )
        return
    if hop not in kind.hops:
        why = (
            "judges values, and raw holds bytes"
            if "raw" not in kind.hops and hop == "raw"
            else f"can't be asked at hop {hop}"
        )
        yield Mistake(f"{type_} {why}", None, f"ask it at hop {' or '.join(sorted(kind.hops))}")
    yield from _severity(str(type_), kind, hop, severity)
    free = kind.arguments - kwargs.keys()
    unknown = {name: suggest(name, free) for name in sorted(kwargs.keys() - kind.arguments)}
    meant = {
        name for name in free if f"did you mean {name!r}?" in unknown.values()
    }  # which is then not lacking
    for name, fix in unknown.items():
        yield Mistake(f"{type_} has no argument {name!r}", name, fix)
    for name in sorted(kind.needs - kwargs.keys() - meant):
        yield Mistake(f"{type_} lacks its argument {name!r}", "", f"give it under kwargs: {name}")
    if kind.bounds and not kind.bounds & (kwargs.keys() | meant):
        yield Mistake(f"{type_} has no bound", "", f"give {' or '.join(sorted(kind.bounds))}")
    found = [
        item
        for name, value in kwargs.items()
        if name in kind.arguments
        for item in argument_mistakes(contract, kind, name, value)
    ]
    yield from found
    if not found and kind.needs <= kwargs.keys():
        yield from _together(contract, str(type_), kwargs, severity)


def _severity(type_: str, kind: Expectation, hop: Hop, severity: Severity) -> Iterator[Mistake]:
    if severity == "quarantine" and (not kind.row_rule or hop == "features"):
        why = (
            "a feature table has no quarantine"
            if kind.row_rule
            else f"{type_} judges the table, so no row can be quarantined"
        )
        yield Mistake(
            f"severity quarantine: {why}",
            None,
            "use warn or block" if kind.row_rule else "use warn, trigger, hold or block",
        )
    if severity in TABLE_SEVERITIES and kind.row_rule:
        what = f"severity {severity}: {type_} judges rows, and only a table rule can {severity}"
        yield Mistake(
            what, None, "use warn, quarantine or block" if hop != "features" else "use warn or block"
        )
    elif severity in TABLE_SEVERITIES and hop == "raw":
        yield Mistake(
            f"severity {severity} can't be asked at hop raw",
            None,
            "use warn or block, or ask it at hop processed",
        )


def _together(
    contract: Contract, type_: str, kwargs: dict[str, Any], severity: Severity
) -> Iterator[Mistake]:
    columns: dict[str, Column] = {
        name: contract.column(kwargs[name]) for name in ("column", "column_A", "column_B") if name in kwargs
    }
    if kwargs.get("mostly", 1) != 1 and severity == "quarantine":
        fix = "leave mostly out: each row that breaks the rule is quarantined; maxQuarantined says how many may be"
        yield Mistake("mostly means nothing for severity quarantine", "mostly", fix)
    if "condition_parser" in kwargs and not isinstance(kwargs.get("row_condition"), str):
        yield Mistake(
            "condition_parser stands without a row_condition in text", "condition_parser", "leave it out"
        )
    yield from distribution_mistakes(contract, type_, kwargs)
    if "partition_object" in kwargs:
        given = kwargs["partition_object"]
        values = given.get("values") if isinstance(given, dict) else None
        fit = isinstance(values, list) and all(fits(columns["column"], value) for value in values)
        yield from partition_mistakes(columns["column"], kwargs, fit=fit)
    yield from _bounds(columns.get("column"), type_, kwargs)
    yield from _order(contract, type_, kwargs)
    yield from _reference(columns.get("column"), type_, kwargs)
    yield from _cutoff(columns.get("column"), contract, kwargs)
    if "column" in columns:
        yield from _set(columns["column"], kwargs.get("value_set", []))
    if "value_pairs_set" in kwargs and len(columns) == len(("column_A", "column_B")):
        yield from _pairs(columns, kwargs["value_pairs_set"])
    if (
        "column_A" in columns
        and "value_pairs_set" not in kwargs
        and columns["column_A"].type != columns["column_B"].type
    ):
        a, b = columns["column_A"], columns["column_B"]
        if not {a.type, b.type} <= {"integer", "double"}:
            yield Mistake(
                f"{a.name} is of type {a.type}, {b.name} of type {b.type}",
                "column_B",
                "compare columns of one type",
            )


_COUNTED: Final = ("lengths", "count")
_COMPUTED: Final = ("_sum_", "_mean_", "_median_", "_stdev_")


def _bounds(column: Column | None, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    for name in ("min_value", "max_value"):
        value = kwargs.get(name)
        if value is None:
            continue
        if "distribution" in type_:
            continue  # how far apart two may lie, whatever the column's type
        if any(word in type_ for word in _COUNTED):
            if type(value) is not int or value < 0:
                yield Mistake(f"{name} is {value!r}", name, "use a whole number, 0 or more")
        elif "proportion" in type_:
            if not number(value) or not 0 <= value <= 1:
                yield Mistake(f"{name} is {value!r}", name, "use a share from 0 to 1")
        elif (
            column
            and not fits(column, value)
            and not (any(word in type_ for word in _COMPUTED) and number(value))
        ):
            yield Mistake(
                f"{name} {value!r} can't be compared with column {column.name!r} of type {column.type}",
                name,
                example(column),
            )
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    comparable = (number(low) and number(high)) or (isinstance(low, str) and isinstance(high, str))
    if low is not None and high is not None and comparable and low > high:
        yield Mistake(f"min_value {low!r} lies above max_value {high!r}", "min_value", "exchange them")


def _order(contract: Contract, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    if "order_by" in kwargs and kwargs["keep"] == "none":
        yield Mistake(
            "order_by chooses a row, and keep: none keeps none",
            "order_by",
            "leave it out, or keep first or last",
        )
    if type_ == "expect_rows_not_to_be_delivered_again" and contract.write_mode != "append":
        what = f"a delivery of {'an upsert' if contract.write_mode == 'upsert' else 'a replace'} table may hold the same rows as one before"
        yield Mistake(what, None, "leave the rule out; the same bytes are `unchanged` anyway")
    if type_ == "expect_column_values_to_be_within_watermark" and contract.write_mode == "upsert":
        what = "an upsert table takes rows in any order, and holds each key's newest"
        yield Mistake(
            what, None, "leave the rule out: a row that is too late is outdated, and counted as such"
        )


def _reference(column: Column | None, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    for own, there in (("on", "reference_on"), ("by", "reference_by")):
        if len(kwargs.get(own, ())) != len(kwargs.get(there, ())) and "reference" in kwargs:
            yield Mistake(
                f"{own} and {there} name {len(kwargs.get(own, ()))} and {len(kwargs.get(there, ()))} columns",
                own,
                "name as many",
            )
    if (
        type_ == "expect_sum_to_agree_with_reference"
        and column
        and column.type == "double"
        and not kwargs.get("tolerance")
    ):
        what = "sums of numbers with a fraction need a tolerance"
        yield Mistake(what, "tolerance" if "tolerance" in kwargs else "", "add one, such as 0.01")
    if (
        type_ == "expect_series_to_have_no_gaps"
        and column
        and column.type == "date"
        and kwargs["step_seconds"] % _DAY
    ):
        yield Mistake(
            f"step_seconds {kwargs['step_seconds']} is no number of days",
            "step_seconds",
            f"write a multiple of {_DAY}",
        )
    if "column_list" in kwargs and column and column.name in kwargs["column_list"]:
        yield Mistake(f"{column.name} determines itself", "column_list", "leave it out")


_DAY: Final = 86400


def _cutoff(column: Column | None, contract: Contract, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    if "cutoff" in kwargs and "cutoff_column" in kwargs:
        yield Mistake("both a cutoff and a cutoff_column", "cutoff", "keep one of them")
    elif column and "cutoff" in kwargs and not fits(column, kwargs["cutoff"]):
        what = (
            f"cutoff {kwargs['cutoff']!r} can't be compared with column {column.name!r} of type {column.type}"
        )
        yield Mistake(what, "cutoff", example(column))
    elif (
        column
        and "cutoff_column" in kwargs
        and (other := contract.column(kwargs["cutoff_column"])).type != column.type
    ):
        what = f"{column.name} is of type {column.type}, {other.name} of type {other.type}"
        yield Mistake(what, "cutoff_column", "compare columns of one type")


def _set(column: Column, values: list[Any]) -> Iterator[Mistake]:
    if column.personal and values:
        what = f"column {column.name!r} is personal, and a rule's values stand in every result"
        yield Mistake(what, "value_set", "use a pattern, or a relationship with a reference dataset")
    for value in values:
        if not fits(column, value):
            what = f"{value!r} in value_set can never stand in column {column.name!r} of type {column.type}"
            yield Mistake(what, "value_set", example(column))


def _pairs(columns: dict[str, Column], pairs: list[Any]) -> Iterator[Mistake]:
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != len(columns):
            yield Mistake(
                f"{pair!r} is no pair of values",
                "value_pairs_set",
                "write a list of pairs, such as [[a, 1], [b, null]]",
            )
            return
        for column, value in zip(columns.values(), pair, strict=True):
            if value is not None and not fits(column, value):
                what = f"{value!r} in value_pairs_set can never stand in column {column.name!r} of type {column.type}"
                yield Mistake(what, "value_pairs_set", example(column))
    if any(column.personal for column in columns.values()):
        yield Mistake(
            "a column is personal, and a rule's values stand in every result",
            "value_pairs_set",
            "leave that column out",
        )
