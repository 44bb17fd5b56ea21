"""What a suite reads of published tables: of the one that a drop is appended to, and of the references that its rows are looked up in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from catalog.contract import Contract
from catalog.expressions.condition_tree import columns_in
from expectations.suite import Suite
from expectations.typed_frame import DROP

ASKING: Final = frozenset(
    {
        "expect_column_values_to_be_unique",
        "expect_compound_columns_to_be_unique",
        "expect_key_to_stand_once",
        "expect_rows_to_be_distinct",
        "expect_rows_not_to_be_delivered_again",
        "expect_columns_to_determine",
        "expect_column_values_to_be_within_watermark",
    }
)
"""Rules that hold a delivery's rows against published ones."""
_NAMED: Final = ("column", "column_list", "order_by")


_THERE: Final = "reference_"
"""What the names of arguments begin with that name a reference's columns."""


def published_columns(suite: Suite, contract: Contract) -> frozenset[str]:
    """The columns of the published table that some rule reads; none where no rule does."""
    names, found = [column.name for column in contract.columns], set[str]()
    for rule in suite.rules:
        if rule.type not in ASKING:
            continue
        given = [rule.kwargs[name] for name in _NAMED if rule.kwargs.get(name)]
        found |= {name for item in given for name in (item if isinstance(item, list) else [item])} or {*names}
        found |= _asked(rule.kwargs.get("row_condition"), names)
    return frozenset({*found, DROP}) if found else frozenset()


def _asked(condition: object, names: Collection[str]) -> set[str]:
    """The columns that a condition names, in text or as Great Expectations writes one in JSON."""
    if isinstance(condition, str):
        return columns_in(condition, names)
    if isinstance(condition, Mapping):
        return {name for value in condition.values() for name in _asked_within(value, names)}
    return set()


def _asked_within(value: object, names: Collection[str]) -> set[str]:
    if isinstance(value, str):
        return {value} & {*names}
    if isinstance(value, list):
        return {name for item in value for name in _asked_within(item, names)}
    return _asked(value, names)


def reference_columns(suite: Suite, table: str) -> frozenset[str]:
    """The columns of a reference that some rule reads."""
    given = [
        value
        for rule in suite.rules
        if rule.kwargs.get("reference") == table
        for name, value in rule.kwargs.items()
        if name.startswith(_THERE) and value
    ]
    return frozenset(name for item in given for name in (item if isinstance(item, list) else [item]))
