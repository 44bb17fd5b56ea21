"""A contract and plans of rules about its columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.contract import Column, Contract
from catalog.rules.expectation_types import EXPECTATIONS
from expectations.plan.plan import Plan, make_plan
from expectations.suite import Rule, Suite

CONTRACT = Contract(
    name="things",
    kind="dataset",
    path=Path("things.odcs.yaml"),
    hash="",
    columns=(
        Column("name", "string"),
        Column("size", "integer"),
        Column("real", "double"),
        Column("at", "timestamp"),
        Column("person", "string", classification="personal"),
    ),
    key=("name",),
    write_mode="append",
)


def plan_of(*rules: tuple[str, dict[str, Any]], severity: Any = "warn") -> Plan:
    made = tuple(
        Rule(f"r{number}", kind, kwargs, severity, EXPECTATIONS[kind].family, EXPECTATIONS[kind].row_rule)
        for number, (kind, kwargs) in enumerate(rules)
    )
    return make_plan(Suite("things", "processed", made), CONTRACT)
