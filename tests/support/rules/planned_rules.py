"""A contract and plans of rules about its columns."""

from __future__ import annotations

from typing import Any

from catalog.contract import Column
from catalog.rules.expectation_types import EXPECTATIONS
from expectations.plan.plan import Plan, make_plan
from expectations.suite import Rule, Suite
from tests.support.catalog.contracts import things

CONTRACT = things(
    Column("name", "string"),
    Column("size", "integer"),
    Column("real", "double"),
    Column("at", "timestamp"),
    Column("person", "string", classification="personal"),
)


def plan_of(*rules: tuple[str, dict[str, Any]], severity: Any = "warn") -> Plan:
    made = tuple(
        Rule(f"r{number}", kind, kwargs, severity, EXPECTATIONS[kind].family, EXPECTATIONS[kind].row_rule)
        for number, (kind, kwargs) in enumerate(rules)
    )
    return make_plan(Suite("things", "processed", made), CONTRACT)
