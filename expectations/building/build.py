"""From a contract to the suite of each hop: rules made from its schema, its own, and those of suite files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from catalog.contract import Column, Contract, Family, Hop, Relationship, Severity
from catalog.documents.containment import mistakes_in
from catalog.drift import Drift
from catalog.mistakes import Mistakes
from catalog.nested import Nested
from catalog.rules.expectation_types import EXPECTATIONS, LINE_END, NESTED_FIELDS, REPEATED_HEADER
from expectations.building.suite_files import suite_files, written_rules
from expectations.drift.histogram_rules import MAJORITY_EACH, NULL_SHARE_EACH, STAY_CLOSE_EACH
from expectations.spellings import ENDS
from expectations.suite import Rule, Suite
from lakegate.errors import UsageError

COMPARED: Final = 32
"""Columns by which a header that comes again is known."""
FINITE: Final = sys.float_info.max
EXACT: Final = 2.0**sys.float_info.mant_dig - 1
"""The next whole number is also what a double makes of the one behind it."""

HOPS: Final[dict[str, tuple[Hop, ...]]] = {"dataset": ("raw", "processed"), "feature": ("features",)}
"""The hops of each kind of contract."""


def build_suite(contract: Contract, hop: Hop, project: Path) -> Suite:
    """The suite of one hop: generated rules first, then the contract's, then those of suite files, each in its order.

    Args:
        contract: The dataset or feature.
        hop: Raw and processed for a dataset, features for a feature.
        project: The folder that holds expectations/suites/.

    Raises:
        ContractError: Suite files have mistakes; the error tells of each file, line and what to do.
        UsageError: A contract of this kind has no such hop.
    """
    if hop not in HOPS[contract.kind]:
        what = f"{contract.name} is a {contract.kind} and has no hop {hop!r}"
        raise UsageError(what, fix=f"use {' or '.join(HOPS[contract.kind])}")
    with mistakes_in(contract.path):
        rules = [*_generated(contract, hop), *_stated(contract, hop)]
    found = Mistakes()
    for path in suite_files(contract, hop, project):
        with found.noting(), mistakes_in(path):
            rules += written_rules(path, contract, hop, taken={rule.id for rule in rules})
    found.end()
    return Suite(table_of(contract, hop), hop, tuple(rules))


def table_of(contract: Contract, hop: Hop) -> str:
    """The table that a hop writes: `flights_raw` at raw, else the contract's own name."""
    return f"{contract.name}_raw" if hop == "raw" else contract.name


def _generated(contract: Contract, hop: Hop) -> Iterator[Rule]:
    if hop == "raw":
        yield from _raw(contract)
    elif hop == "processed":
        yield from _processed(contract)
    else:
        yield from _features(contract)


def _raw(contract: Contract) -> Iterator[Rule]:
    names = [column.name for column in contract.delivered]
    for name in names:
        yield _rule(f"column:{name}", "expect_column_to_exist", {"column": name}, "block")
    others: Severity = "block" if contract.unexpected == "refuse" else "warn"
    yield _rule("unexpected-columns", "expect_table_columns_to_be_in_set", {"column_set": names}, others)
    yield _rule("duplicate-columns", "expect_table_columns_to_be_unique", {}, "block")
    yield _rule("not-empty", "expect_table_row_count_to_be_between", {"min_value": 1}, "block")
    yield _rule(
        "readable",
        "expect_records_to_be_readable",
        _budget(contract.file.max_unreadable, contract.file.max_unreadable_rows),
        "block",
    )

    if contract.file.final_line_end:
        yield _rule("final-line-end", LINE_END, {}, "block")


def _processed(contract: Contract) -> Iterator[Rule]:
    compared = contract.delivered[:COMPARED]
    if len(compared) > 1:  # in a file of one column a value may well be its name
        kwargs = {
            "column_list": [column.name for column in compared],
            "header": [column.header for column in compared],
        }
        yield _rule("repeated-header", REPEATED_HEADER, kwargs, "quarantine")
    for column in contract.columns:
        if column.type != "string":
            yield _rule(
                f"type:{column.name}",
                "expect_column_values_to_be_of_declared_type",
                _declared(column),
                "quarantine",
            )
        if column.nested:
            yield from _nested(column.name, column.nested, contract)
    yield from _required(contract, "quarantine")
    if contract.upsert is not None:
        yield from _ordered(contract.column(contract.upsert.order))
    if contract.key and contract.write_mode != "upsert":  # there rows of one key follow each other
        yield _key(contract, "quarantine")
    for relationship in contract.relationships:
        yield _foreign_key(relationship)
    if contract.write_mode == "replace":
        yield _rule("not-empty", "expect_table_row_count_to_be_between", {"min_value": 1}, "block")
        yield from _shrink(contract, "hold")
    if budget := _budget(contract.max_quarantined, contract.max_quarantined_rows):
        yield _rule("max-quarantined", "expect_quarantined_share_to_be_at_most", budget, "block")
    yield from _drift(contract.drifting, contract.seasonal, contract.drift or Drift())
    yield from _nulls(contract.nullable, contract.drift or Drift())


def _features(contract: Contract) -> Iterator[Rule]:
    """What the schema promises of a table that has no quarantine: one row that breaks it stops the version.

    SQL gives dates and times that no text of a delivery does: those outside the years that readers have.
    """
    for column in contract.columns:
        if (ends := ENDS.get(column.type)) is not None:
            kwargs = {"column": column.name, "min_value": ends[0], "max_value": ends[1]}
            yield _rule(
                f"type:{column.name}", "expect_column_values_to_be_between", kwargs, "block", "schema"
            )
    yield from _required(contract, "block")
    yield _key(contract, "block")
    yield from _shrink(contract, "warn")
    for relationship in contract.relationships:
        yield _foreign_key(relationship)


def _required(contract: Contract, severity: Severity) -> Iterator[Rule]:
    for column in contract.columns:
        if column.required:
            yield _rule(
                f"required:{column.name}",
                "expect_column_values_to_not_be_null",
                {"column": column.name},
                severity,
            )


def _ordered(column: Column) -> Iterator[Rule]:
    """A row whose order is no finite number says not when it was told; and one that is too great may tie with its neighbours."""
    for name, most, severity in (("order", FINITE, "quarantine"), ("exact-order", EXACT, "warn")):
        if column.type == "double":
            kwargs = {"column": column.name, "min_value": -most, "max_value": most}
            yield _rule(
                f"{name}:{column.name}",
                "expect_column_values_to_be_between",
                kwargs,
                cast("Severity", severity),
                "schema",
            )


def _shrink(contract: Contract, severity: Severity) -> Iterator[Rule]:
    """A person decides on a full delivery that takes most of the table away; a feature table follows its inputs, and tells."""
    if contract.max_shrink is not None:
        yield _rule("max-shrink", "expect_table_not_to_shrink", {"max_share": contract.max_shrink}, severity)


def _budget(share: float | None, rows: int | None) -> dict[str, Any]:
    return {name: value for name, value in (("max_share", share), ("max_rows", rows)) if value is not None}


def _drift(columns: tuple[Column, ...], seasonal: tuple[Column, ...], drift: Drift) -> Iterator[Rule]:
    """A jump is told; so is a slow move, which also triggers where it is great; and imbalance. None of them stops a drop.

    One rule for all columns: the outcome names those that moved, and a suite doesn't grow with every column.
    """
    if columns:
        close = {"column_list": [column.name for column in columns], "statistic": "kl", **_history(drift)}
        yield _rule(
            "drift:previous",
            STAY_CLOSE_EACH,
            {**close, "baseline": "previous", "max_value": drift.warn},
            "warn",
        )
        yield _rule(
            "drift:pinned", STAY_CLOSE_EACH, {**close, "baseline": "pinned", "max_value": drift.warn}, "warn"
        )
        yield _rule(
            "drift:pinned:trigger",
            STAY_CLOSE_EACH,
            {**close, "baseline": "pinned", "max_value": drift.trigger},
            "trigger",
        )
    if seasonal:
        close = {"column_list": [column.name for column in seasonal], "statistic": "kl", **_history(drift)}
        yield _rule(
            "drift:season", STAY_CLOSE_EACH, {**close, "baseline": "season", "max_value": drift.warn}, "warn"
        )
    if names := [column.name for column in columns if column.type in ("string", "boolean")]:
        unless = {"baseline": "previous"} if drift.history else {}
        yield _rule(
            "imbalance", MAJORITY_EACH, {"column_list": names, "max_share": drift.imbalance} | unless, "warn"
        )


def _nulls(columns: tuple[Column, ...], drift: Drift) -> Iterator[Rule]:
    """A column that turns wholly NULL is told, and one that is NULL far more often, or less, than it ever was."""
    if columns and drift.nulls is not None:
        kwargs = {
            "column_list": [column.name for column in columns],
            "baseline": "previous",
            "max_change": drift.nulls,
            **_history(drift),
        }
        yield _rule("nulls", NULL_SHARE_EACH, kwargs, "warn")


def _history(drift: Drift) -> dict[str, int]:
    return {"history": drift.history} if drift.history else {}


def _nested(name: str, nested: Nested, contract: Contract) -> Iterator[Rule]:
    for check, path, type_ in nested.checks():
        severity: Severity = (
            "warn" if check == "unexpected" and contract.unexpected != "refuse" else "quarantine"
        )
        kwargs = {"column": name, "check": check, "path": path} | ({"type": type_} if check == "type" else {})
        yield _rule(f"{check}:{name}{path}", NESTED_FIELDS, kwargs, severity)


def _declared(column: Column) -> dict[str, Any]:
    declared = {"column": column.name, "type": column.type}
    return declared | ({"format": column.format} if column.format else {})


def _key(contract: Contract, severity: Severity) -> Rule:
    columns = contract.key
    if contract.keep != "none":
        order = {"order_by": list(contract.keep_order)} if contract.keep_order else {}
        return _rule(
            "key",
            "expect_key_to_stand_once",
            {"column_list": list(columns), "keep": contract.keep} | order,
            severity,
        )
    if len(columns) == 1:
        return _rule("key", "expect_column_values_to_be_unique", {"column": columns[0]}, severity)
    kwargs = {
        "column_list": list(columns),
        "ignore_row_if": "any_value_is_missing",
    }  # rule `required` speaks of those
    return _rule("key", "expect_compound_columns_to_be_unique", kwargs, severity)


def _foreign_key(relationship: Relationship) -> Rule:
    own, there = relationship.columns, relationship.to_columns
    name = f"fk:{','.join(own)}->{relationship.to}.{','.join(there)}"
    if len(own) == 1:
        kwargs: dict[str, Any] = {
            "column": own[0],
            "reference": relationship.to,
            "reference_column": there[0],
        }
        return _rule(name, "expect_column_values_to_exist_in_reference", kwargs, relationship.severity)
    kwargs = {"column_list": list(own), "reference": relationship.to, "reference_column_list": list(there)}
    return _rule(name, "expect_compound_columns_to_exist_in_reference", kwargs, relationship.severity)


def _stated(contract: Contract, hop: Hop) -> Iterator[Rule]:
    for stated in contract.rules:
        if stated.hop == hop:
            yield _rule(stated.id, stated.type, stated.kwargs, stated.severity, stated.family)


def _rule(
    name: str, type_: str, kwargs: dict[str, Any], severity: Severity, family: Family | None = None
) -> Rule:
    kind = EXPECTATIONS[type_]
    return Rule(name, type_, kwargs, severity, family or kind.family, kind.row_rule)
