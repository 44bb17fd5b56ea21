"""From a contract to the suite of each hop: generated rules, its own, and those of suite files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from catalog.contract import Column, Contract, Family, Hop, Relationship, Severity
from catalog.documents.containment import mistakes_in
from catalog.drift import Drift
from catalog.mistakes import Mistakes
from catalog.nested import Nested
from catalog.rules.expectation_types import EXPECTATIONS, LINE_END, NESTED_FIELDS, REPEATED_HEADER
from expectations.building.suite_files import suite_files, written_rules
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram_rules import MAJORITY_EACH, NULL_SHARE_EACH, STAY_CLOSE_EACH
from expectations.spellings import ENDS
from expectations.suite import Rule, Suite, table_of
from lakegate.errors import UsageError

COMPARED: Final = 32
"""Columns by which a repeated header is recognised."""
FINITE: Final = sys.float_info.max
EXACT: Final = 2.0**sys.float_info.mant_dig - 1
"""The greatest whole number below which every whole number is a double of its own."""

HOPS: Final[dict[str, tuple[Hop, ...]]] = {"dataset": ("raw", "processed"), "feature": ("features",)}
"""The hops of each kind of contract."""


def build_suite(contract: Contract, hop: Hop, project: Path) -> Suite:
    """The suite of one hop: generated rules first, then the contract's own, then those of suite files.

    Args:
        contract: The dataset or feature.
        hop: Raw and processed for a dataset, features for a feature.
        project: The folder that holds expectations/suites/.

    Raises:
        ContractError: Suite files have mistakes; the error names each file and line, and the fix.
        UsageError: A contract of this kind has no such hop.
    """
    if hop not in HOPS[contract.kind]:
        what = f"{contract.name} is a {contract.kind} and has no hop {hop!r}"
        raise UsageError(what, fix=f"use {' or '.join(HOPS[contract.kind])}")
    make = {"raw": _raw, "processed": _processed, "features": _features}[hop]
    with mistakes_in(contract.path):
        rules = list(make(contract))
        own = (rule for rule in contract.rules if rule.hop == hop)
        rules += [_rule(rule.id, rule.type, rule.kwargs, rule.severity, rule.family) for rule in own]
    found = Mistakes()
    for path in suite_files(contract, hop, project):
        with found.noting(), mistakes_in(path):
            rules += written_rules(path, contract, hop, taken={rule.id for rule in rules})
    found.end()
    return Suite(table_of(contract, hop), hop, tuple(rules))


def _raw(contract: Contract) -> Iterator[Rule]:
    names = _names(contract.delivered)
    for name in names:
        yield _rule(f"column:{name}", "expect_column_to_exist", {"column": name}, "block")
    others: Severity = "block" if contract.unexpected == "refuse" else "warn"
    yield _rule("unexpected-columns", "expect_table_columns_to_be_in_set", {"column_set": names}, others)
    yield _rule("duplicate-columns", "expect_table_columns_to_be_unique", {}, "block")
    yield _not_empty()
    unreadable = _budget(contract.file.max_unreadable, contract.file.max_unreadable_rows)
    yield _rule("readable", "expect_records_to_be_readable", unreadable, "block")
    if contract.file.final_line_end:
        yield _rule("final-line-end", LINE_END, {}, "block")


def _processed(contract: Contract) -> Iterator[Rule]:
    compared = contract.delivered[:COMPARED]
    if len(compared) > 1:  # in a file of one column a value may well be its name
        kwargs = {"column_list": _names(compared), "header": [column.header for column in compared]}
        yield _rule("repeated-header", REPEATED_HEADER, kwargs, "quarantine")
    for column in contract.columns:
        if column.type != "string":
            type_ = {"column": column.name, "type": column.type}
            if column.format:
                type_["format"] = column.format
            yield _rule(
                f"type:{column.name}", "expect_column_values_to_be_of_declared_type", type_, "quarantine"
            )
        if column.nested:
            yield from _nested(column.name, column.nested, contract)
    yield from _required(contract, "quarantine")
    if contract.upsert is not None:
        yield from _ordered(contract.column(contract.upsert.order))
    if contract.key and contract.write_mode != "upsert":  # there rows of one key follow each other
        yield _key(contract, "quarantine")
    yield from map(_foreign_key, contract.relationships)
    if contract.write_mode == "replace":
        yield _not_empty()
        yield from _shrink(contract, "hold")
    if budget := _budget(contract.max_quarantined, contract.max_quarantined_rows):
        yield _rule("max-quarantined", "expect_quarantined_share_to_be_at_most", budget, "block")
    yield from _drift(contract.drifting, contract.seasonal, contract.drift or Drift())
    yield from _nulls(contract.nullable, contract.drift or Drift())


def _features(contract: Contract) -> Iterator[Rule]:
    """What the schema promises of a table that has no quarantine: one row that breaks it stops the version.

    SQL makes dates and times that no delivered text does: those outside the years that readers can hold.
    """
    for column in contract.columns:
        if (ends := ENDS.get(column.type)) is not None:
            yield _within(f"type:{column.name}", column, *ends, "block")
    yield from _required(contract, "block")
    yield _key(contract, "block")
    yield from _shrink(contract, "warn")
    yield from map(_foreign_key, contract.relationships)


def _not_empty() -> Rule:
    return _rule("not-empty", "expect_table_row_count_to_be_between", {"min_value": 1}, "block")


def _within(name: str, column: Column, low: Any, high: Any, severity: Severity) -> Rule:
    kwargs = {"column": column.name, "min_value": low, "max_value": high}
    return _rule(name, "expect_column_values_to_be_between", kwargs, severity, "schema")


def _required(contract: Contract, severity: Severity) -> Iterator[Rule]:
    for column in contract.columns:
        if column.required:
            kwargs = {"column": column.name}
            yield _rule(f"required:{column.name}", "expect_column_values_to_not_be_null", kwargs, severity)


def _ordered(column: Column) -> Iterator[Rule]:
    """An order that is no finite number orders nothing; one that is too great may equal its neighbours."""
    if column.type == "double":
        yield _within(f"order:{column.name}", column, -FINITE, FINITE, "quarantine")
        yield _within(f"exact-order:{column.name}", column, -EXACT, EXACT, "warn")


def _shrink(contract: Contract, severity: Severity) -> Iterator[Rule]:
    """A delivery that removes most of the table waits for a person; a feature table only warns."""
    if contract.max_shrink is not None:
        yield _rule("max-shrink", "expect_table_not_to_shrink", {"max_share": contract.max_shrink}, severity)


def _budget(share: float | None, rows: int | None) -> dict[str, Any]:
    return {name: value for name, value in (("max_share", share), ("max_rows", rows)) if value is not None}


def _drift(columns: tuple[Column, ...], seasonal: tuple[Column, ...], drift: Drift) -> Iterator[Rule]:
    """A jump, a slow move and imbalance warn; a great slow move also triggers. None of them stops a drop.

    One rule for all columns: the outcome names those that moved, and a suite doesn't grow with every column.
    """
    if columns:
        previous = _stay_close(columns, "previous", drift.warn, drift)
        yield _rule("drift:previous", STAY_CLOSE_EACH, previous, "warn")
        pinned = _stay_close(columns, "pinned", drift.warn, drift)
        yield _rule("drift:pinned", STAY_CLOSE_EACH, pinned, "warn")
        trigger = pinned | {"max_value": drift.trigger}
        yield _rule("drift:pinned:trigger", STAY_CLOSE_EACH, trigger, "trigger")
    if seasonal:
        season = _stay_close(seasonal, "season", drift.warn, drift)
        yield _rule("drift:season", STAY_CLOSE_EACH, season, "warn")
    if names := _names(column for column in columns if column.type in ("string", "boolean")):
        kwargs = {"column_list": names, "max_share": drift.imbalance}
        if drift.history:
            kwargs["baseline"] = "previous"
        yield _rule("imbalance", MAJORITY_EACH, kwargs, "warn")


def _stay_close(
    columns: tuple[Column, ...], baseline: Baseline, bound: float, drift: Drift
) -> dict[str, Any]:
    kwargs = {"column_list": _names(columns), "statistic": "kl", **_history(drift)}
    return kwargs | {"baseline": baseline, "max_value": bound}


def _nulls(columns: tuple[Column, ...], drift: Drift) -> Iterator[Rule]:
    """A column that turns wholly NULL warns, and so does one whose share of NULL changes by too much."""
    if columns and drift.nulls is not None:
        kwargs = {"column_list": _names(columns), "baseline": "previous", "max_change": drift.nulls}
        yield _rule("nulls", NULL_SHARE_EACH, kwargs | _history(drift), "warn")


def _history(drift: Drift) -> dict[str, int]:
    return {"history": drift.history} if drift.history else {}


def _nested(name: str, nested: Nested, contract: Contract) -> Iterator[Rule]:
    for check, path, type_ in nested.checks():
        tolerated = check == "unexpected" and contract.unexpected != "refuse"
        kwargs = {"column": name, "check": check, "path": path}
        if check == "type":
            kwargs["type"] = type_
        yield _rule(f"{check}:{name}{path}", NESTED_FIELDS, kwargs, "warn" if tolerated else "quarantine")


def _key(contract: Contract, severity: Severity) -> Rule:
    columns = list(contract.key)
    if contract.keep != "none":
        kwargs: dict[str, Any] = {"column_list": columns, "keep": contract.keep}
        if contract.keep_order:
            kwargs["order_by"] = list(contract.keep_order)
        return _rule("key", "expect_key_to_stand_once", kwargs, severity)
    if len(columns) == 1:
        return _rule("key", "expect_column_values_to_be_unique", {"column": columns[0]}, severity)
    # A missing value in a key breaks rule `required`, not this one.
    kwargs = {"column_list": columns, "ignore_row_if": "any_value_is_missing"}
    return _rule("key", "expect_compound_columns_to_be_unique", kwargs, severity)


def _foreign_key(relationship: Relationship) -> Rule:
    own, there = relationship.columns, relationship.to_columns
    name = f"fk:{','.join(own)}->{relationship.to}.{','.join(there)}"
    if len(own) == 1:
        kwargs = {"column": own[0], "reference": relationship.to, "reference_column": there[0]}
        return _rule(name, "expect_column_values_to_exist_in_reference", kwargs, relationship.severity)
    several = {"column_list": list(own), "reference": relationship.to, "reference_column_list": list(there)}
    return _rule(name, "expect_compound_columns_to_exist_in_reference", several, relationship.severity)


def _names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def _rule(
    name: str, type_: str, kwargs: dict[str, Any], severity: Severity, family: Family | None = None
) -> Rule:
    kind = EXPECTATIONS[type_]
    return Rule(name, type_, kwargs, severity, family or kind.family, kind.row_rule)
