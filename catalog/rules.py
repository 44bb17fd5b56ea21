"""The expectation types that a contract or a suite may use: family, row or table rule, and the arguments of each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

from catalog.contract import Column, ColumnType, Contract, Family, Hop, Severity
from catalog.document import suggest

FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


@dataclass(frozen=True)
class Expectation:
    """What is known of an expectation type. `needs` and `takes` are argument names; of `bounds` at least one is given."""

    family: Family
    row_rule: bool
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    bounds: frozenset[str] = frozenset()
    types: frozenset[ColumnType] = frozenset(get_args(ColumnType))
    """Types of column that it can judge."""
    hops: frozenset[Hop] = frozenset({"raw", "processed", "features"})
    """Where it can be asked."""
    generated: bool = False
    """Made from the contract's schema only; nobody writes it by hand."""

    @property
    def arguments(self) -> frozenset[str]:
        """All arguments."""
        return self.needs | self.takes | self.bounds


@dataclass(frozen=True)
class Mistake:
    """A mistake in a rule: what, at which argument (None: its type; empty: the arguments as a whole), and what to do."""

    what: str
    argument: str | None
    fix: str


def _row(family: Family, *needs: str, **more: Any) -> Expectation:
    return Expectation(family, row_rule=True, needs=frozenset(needs), hops=frozenset({"processed", "features"}), **more)


def _table(family: Family, *needs: str, **more: Any) -> Expectation:
    return Expectation(family, row_rule=False, needs=frozenset(needs), **more)


_MIN_MAX: Final = frozenset({"min_value", "max_value"})
_STRICT: Final = frozenset({"strict_min", "strict_max"})
_ORDERED: Final[frozenset[ColumnType]] = frozenset({"integer", "double", "date", "timestamp"})
_RAW: Final[frozenset[Hop]] = frozenset({"raw"})
_TEXT: Final[frozenset[ColumnType]] = frozenset({"string"})

EXPECTATIONS: Final[dict[str, Expectation]] = {
    "expect_column_values_to_not_be_null": _row("range", "column"),
    "expect_column_values_to_be_between": _row("range", "column", takes=_STRICT, bounds=_MIN_MAX, types=_ORDERED),
    "expect_column_values_to_be_in_set": _row("range", "column", "value_set"),
    "expect_column_values_to_match_regex": _row("range", "column", "regex", types=_TEXT),
    "expect_column_value_lengths_to_be_between": _row("range", "column", takes=_STRICT, bounds=_MIN_MAX, types=_TEXT),
    "expect_column_pair_values_a_to_be_greater_than_b": _row(
        "consistency", "column_A", "column_B", takes=frozenset({"or_equal"}), types=_ORDERED
    ),
    "expect_compound_columns_to_be_unique": _row("duplicate", "column_list"),
    "expect_column_values_to_be_unique": _row("duplicate", "column"),
    "expect_column_values_to_be_of_declared_type": _row("schema", "column", "type", takes=frozenset({"format"}), generated=True),
    "expect_column_values_to_exist_in_reference": _row(
        "consistency",
        "reference",
        takes=frozenset({"column", "reference_column", "column_list", "reference_column_list"}),
        generated=True,
    ),
    "expect_column_to_exist": _table("schema", "column", hops=_RAW),
    "expect_table_columns_to_match_set": _table("schema", "column_set", takes=frozenset({"exact_match"}), hops=_RAW),
    "expect_table_columns_to_be_unique": _table("schema", hops=_RAW),
    "expect_table_row_count_to_be_between": _table("schema", bounds=_MIN_MAX),
    "expect_table_row_count_to_equal_other_table": _table("consistency", "other_table_name", hops=frozenset({"features"})),
    "expect_records_to_be_readable": _table("schema", "max_share", generated=True),
    "expect_quarantined_share_to_be_at_most": _table("schema", "max_share", generated=True),
}
"""Those named by no GX release are Lakegate's own, registered with GX where a suite is run."""

_ONE: Final = ("column", "column_A", "column_B")
_MANY: Final = ("column_list", "column_set")
_FLAGS: Final = ("strict_min", "strict_max", "or_equal", "exact_match")
_PORTABLE: Final = re.compile(r"\\[wWdDsSbB1-9]|\(\?[=!<P]|[*+?}]\+")
"""Parts of a pattern that the engines read differently, or that only one of them has."""


def mistakes(contract: Contract, hop: Hop, type_: object, kwargs: dict[str, Any], severity: Severity) -> Iterator[Mistake]:
    """What is wrong with a rule on the columns of this contract, at this hop."""
    kind = EXPECTATIONS.get(str(type_))
    if kind is None:
        known = [name for name, item in EXPECTATIONS.items() if not item.generated]
        yield Mistake(f"{str(type_)!r} is not an expectation type that Lakegate runs", None, suggest(type_, known))
        return
    if kind.generated:
        yield Mistake(f"{type_} is made from the contract's schema", None, "leave it out; types, relationships and shares make it")
        return
    if hop not in kind.hops:
        why = "judges rows, and raw holds bytes" if kind.row_rule else f"can't be asked at hop {hop}"
        yield Mistake(f"{type_} {why}", None, f"ask it at hop {' or '.join(sorted(kind.hops))}")
    if severity == "quarantine" and (not kind.row_rule or hop == "features"):
        why = "a feature table has no quarantine" if kind.row_rule else f"{type_} judges the table, so no row can be set aside"
        yield Mistake(f"severity quarantine: {why}", None, "use warn or block")
    for name in kwargs.keys() - kind.arguments:
        yield Mistake(f"{type_} has no argument {name!r}", name, suggest(name, kind.arguments - kwargs.keys()))
    for name in sorted(kind.needs - kwargs.keys()):
        yield Mistake(f"{type_} lacks its argument {name!r}", "", f"give it under kwargs: {name}")
    if kind.bounds and not kind.bounds & kwargs.keys():
        yield Mistake(f"{type_} has no bound", "", f"give {' or '.join(sorted(kind.bounds))}")
    for name, value in kwargs.items():
        if name in kind.arguments:
            yield from _argument(contract, kind, name, value)
    yield from _together(contract, str(type_), kwargs)


def _argument(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    if name in (*_ONE, *_MANY):
        yield from _names(contract, kind, name, value)
    elif name in _FLAGS and not isinstance(value, bool):
        yield Mistake(f"{name} is {value!r}", name, "use true or false")
    elif name == "value_set" and (not isinstance(value, list) or not value):
        yield Mistake("value_set is no list of values", name, "write a list, such as [a, b]")
    elif name == "regex":
        yield from _pattern(value)
    elif name == "other_table_name" and value not in contract.inputs:
        yield Mistake(f"{value!r} is no input of {contract.name}", name, suggest(value, contract.inputs))


def _names(contract: Contract, kind: Expectation, name: str, value: Any) -> Iterator[Mistake]:
    known = [column.name for column in contract.columns]
    if name in _MANY and (not isinstance(value, list) or not value):
        yield Mistake(f"{name} is no list of columns", name, "write a list, such as [a, b]")
        return
    for column in value if name in _MANY else [value]:
        if column not in known:
            yield Mistake(f"{contract.name} has no column {column!r}", name, suggest(column, known))
        elif name in _ONE and (type_ := contract.column(column).type) not in kind.types:
            what = f"column {column!r} is of type {type_}, which this rule can't judge"
            yield Mistake(what, name, f"name a column of type {' or '.join(sorted(kind.types))}")


def _pattern(value: Any) -> Iterator[Mistake]:
    try:
        re.compile(value)
    except (re.error, TypeError) as error:
        yield Mistake(f"regex {value!r} is no pattern ({error})", "regex", "correct the pattern")
        return
    if found := _PORTABLE.search(value):
        what = f"regex {value!r}: {found[0]!r} does not mean the same on every engine"
        yield Mistake(what, "regex", "write the class out, such as [0-9] or [A-Za-z0-9_], without look-around or back references")


def _together(contract: Contract, type_: str, kwargs: dict[str, Any]) -> Iterator[Mistake]:
    column = next((item for item in contract.columns if item.name == kwargs.get("column")), None)
    counts = "lengths" in type_ or "row_count" in type_
    for name in sorted(_MIN_MAX & kwargs.keys()):
        value = kwargs[name]
        if counts and (type(value) is not int or value < 0):
            yield Mistake(f"{name} is {value!r}", name, "use a whole number, 0 or more")
        elif column and not counts and not fits(column, value):
            yield Mistake(f"{name} {value!r} can't be compared with column {column.name!r} of type {column.type}", name, _example(column))
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if _above(low, high):
        yield Mistake(f"min_value {low!r} lies above max_value {high!r}", "min_value", "exchange them")
    values: Collection[Any] = kwargs["value_set"] if isinstance(kwargs.get("value_set"), list) else ()
    if column and column.personal and values:
        what = f"column {column.name!r} is personal, and a rule's values stand in every result"
        yield Mistake(what, "value_set", "use a pattern, or a relationship with a reference dataset")
    for value in values:
        if column and not fits(column, value):
            what = f"{value!r} in value_set can never stand in column {column.name!r} of type {column.type}"
            yield Mistake(what, "value_set", _example(column))


def fits(column: Column, value: Any) -> bool:
    """Whether a value in a contract can be compared with a column."""
    if column.type == "integer":
        return type(value) is int
    if column.type == "double":
        return type(value) in (int, float)
    if column.type == "boolean":
        return isinstance(value, bool)
    if column.type == "date":
        return isinstance(value, str) and _DATE.fullmatch(value) is not None
    if column.type == "timestamp":
        return isinstance(value, str) and _TIME.fullmatch(value) is not None
    return isinstance(value, str)


_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z?)?")


def _example(column: Column) -> str:
    samples = {"integer": "12", "double": "1.5", "boolean": "true", "date": '"2013-01-31"', "timestamp": '"2013-01-31T05:00:00Z"'}
    return f"write it like {samples.get(column.type, 'text in quotes')}"


def _above(low: Any, high: Any) -> bool:
    numbers = type(low) in (int, float) and type(high) in (int, float)
    return (numbers or (isinstance(low, str) and isinstance(high, str))) and bool(low > high)
