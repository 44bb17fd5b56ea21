"""The benchmark's rules as contracts, in a lake of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from benchmarks.rivals.rules import DATASET, REFERENCE, REFERENCE_KEY, Rule, columns_of, rules_of

_EXPECTED: Final = {
    "between": "expect_column_values_to_be_between",
    "in_set": "expect_column_values_to_be_in_set",
    "not_in_set": "expect_column_values_to_not_be_in_set",
    "regex": "expect_column_values_to_match_regex",
    "not_regex": "expect_column_values_to_not_match_regex",
    "length": "expect_column_value_lengths_to_be_between",
    "greater": "expect_column_pair_values_a_to_be_greater_than_b",
}
"""Kinds that a contract states, and Great Expectations' name for each; the others follow from the schema."""


def expected(rule: Rule) -> tuple[str, dict[str, Any]]:
    """Great Expectations' type and arguments of a stated rule."""
    found: dict[str, Any] = {"column": rule.column}
    match rule.kind:
        case "between" | "length":
            found |= {"min_value": rule.args["low"], "max_value": rule.args["high"]}
        case "in_set" | "not_in_set":
            found |= {"value_set": list(rule.args["values"])}
        case "regex" | "not_regex":
            found |= {"regex": rule.args["pattern"]}
        case "greater":
            found = {"column_A": rule.column, "column_B": rule.args["other"]}
    if "where" in rule.args:
        column, value = rule.args["where"]
        found["row_condition"] = f"{column} = '{value}'"
    return _EXPECTED[rule.kind], found


def write_project(folder: Path, *, columns: int, rules: int) -> None:
    """A lake's folder with the contracts of the trips and of the airports that they refer to."""
    for name in ("catalog/contracts", "catalog/sql", "expectations/suites"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, document in ((DATASET, _trips(columns, rules)), (REFERENCE, _airports())):
        _write(folder / "catalog" / "contracts" / f"{name}.odcs.yaml", document)


def write_contract(folder: Path, name: str, properties: list[dict[str, Any]], *, mode: str) -> None:
    """A lake's folder with the contract of one table that asks for nothing but types."""
    for inner in ("catalog/contracts", "catalog/sql", "expectations/suites"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    _write(folder / "catalog" / "contracts" / f"{name}.odcs.yaml", _document(name, properties, [], mode=mode))


def _write(path: Path, document: dict[str, Any]) -> None:
    from ruamel.yaml import YAML

    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(document, file)


def _document(
    name: str, properties: list[dict[str, Any]], quality: list[dict[str, Any]], *, mode: str
) -> dict[str, Any]:
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": f"benchmark-{name}",
        "name": name,
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": "Made up for the benchmark."},
        "schema": [{"name": name, "properties": properties, "quality": quality}],
        "team": {"name": "benchmarks"},
        "support": [{"channel": "benchmarks", "description": "see benchmarks/rivals/data.py"}],
        "customProperties": [
            {"property": "writeMode", "value": mode},
            {"property": "file", "value": {"format": "csv", "delimiter": ",", "nullValues": ["NA"]}},
            {"property": "drift", "value": "none"},  # no rival takes histograms
        ],
    }


def _trips(columns: int, number: int) -> dict[str, Any]:
    rules = rules_of(columns, number)
    required = {rule.column for rule in rules if rule.kind == "required"}
    properties: list[dict[str, Any]] = []
    for name, kind in columns_of(columns).items():
        item: dict[str, Any] = {"name": name, "logicalType": kind, "required": name in required}
        if any(rule.kind == "key" and rule.column == name for rule in rules):
            item |= {"primaryKey": True, "primaryKeyPosition": 1}
        if any(rule.kind == "fk" and rule.column == name for rule in rules):
            severity = [{"property": "severity", "value": "quarantine"}]
            item["relationships"] = [{"to": f"{REFERENCE}.{REFERENCE_KEY}", "customProperties": severity}]
        properties.append(item)
    quality = [_quality(rule) for rule in rules if rule.kind in _EXPECTED]
    return _document(DATASET, properties, quality, mode="append")


def _quality(rule: Rule) -> dict[str, Any]:
    type_, kwargs = expected(rule)
    body = {"type": type_, "kwargs": kwargs}
    return {
        "id": rule.id,
        "type": "custom",
        "engine": "greatExpectations",
        "severity": "quarantine",
        "implementation": body,
    }


def _airports() -> dict[str, Any]:
    kinds = {"faa": "string", "name": "string", "lat": "number", "lon": "number"}
    properties: list[dict[str, Any]] = [
        {"name": name, "logicalType": kind, "required": True} for name, kind in kinds.items()
    ]
    properties[0] |= {"primaryKey": True, "primaryKeyPosition": 1}
    return _document(REFERENCE, properties, [], mode="replace")
