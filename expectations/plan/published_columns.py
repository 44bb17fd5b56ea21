"""The columns that a suite reads of published tables: the one that a drop is appended to, and references."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from catalog.contract import Contract
from catalog.expressions.condition_tree import columns_in
from expectations.suite import Suite
from expectations.typed_frame import DROP

COMPARING: Final = frozenset(
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
"""Rules that compare a delivery's rows with published ones."""
_NAMED: Final = ("column", "column_list", "order_by")
_THERE: Final = "reference_"
"""Names of arguments that name a reference's columns begin so."""


def published_columns(suite: Suite, contract: Contract) -> frozenset[str]:
    """The columns of the published table that some rule reads; none where no rule does."""
    names, found = {column.name for column in contract.columns}, set[str]()
    for rule in suite.rules:
        if rule.type in COMPARING:
            found |= _flat(rule.kwargs.get(name) for name in _NAMED) or names
            found |= _in_condition(rule.kwargs.get("row_condition"), names)
    return frozenset({*found, DROP}) if found else frozenset()


def _in_condition(condition: object, names: set[str]) -> set[str]:
    """The columns that a condition names, in text or as Great Expectations writes one in JSON."""
    if isinstance(condition, str):
        return columns_in(condition, names)
    if isinstance(condition, Mapping):
        return set[str]().union(*(_in_value(value, names) for value in condition.values()))
    return set()


def _in_value(value: object, names: set[str]) -> set[str]:
    if isinstance(value, str):
        return {value} & names
    if isinstance(value, list):
        return set[str]().union(*(_in_value(item, names) for item in value))
    return _in_condition(value, names)


def reference_columns(suite: Suite, table: str) -> frozenset[str]:
    """The columns of a reference that some rule reads."""
    rules = (rule for rule in suite.rules if rule.kwargs.get("reference") == table)
    return frozenset(
        _flat(value for rule in rules for name, value in rule.kwargs.items() if name.startswith(_THERE))
    )


def _flat(given: Iterable[Any]) -> set[str]:
    """Names that are given alone or in lists; nothing gives none."""
    found: set[str] = set()
    for item in given:
        found.update(item if isinstance(item, list) else [item] if item else ())
    return found
