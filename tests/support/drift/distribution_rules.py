"""Rules about distributions, the histograms they are asked of, and what they find."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np

from catalog.contract import Column
from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import mistakes
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram import Histogram, Histograms, code_of, kind_of
from expectations.plan.execute import nothing_counted, outcomes
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import Plan, make_plan
from expectations.suite import Rule, Suite
from expectations.verdict import Outcome
from tests.support.catalog.contracts import things

CONTRACT = things(
    Column("size", "integer"),
    Column("real", "double"),
    Column("group", "string"),
    Column("flag", "boolean"),
    Column("at", "timestamp"),
    Column("person", "string", classification="personal"),
)
CLOSE = "expect_column_distribution_to_stay_close"
CLOSE_EACH = "expect_column_distributions_to_stay_close"

NULLS = "expect_column_null_share_to_stay_close"
MAJORITY = "expect_column_majority_share_to_be_at_most"
GROUPS = "expect_column_group_shares_to_be_close_to"
OUTLIERS = "expect_column_outlier_share_to_be_at_most"
RANDOM = np.random.default_rng(7)
NORMAL = RANDOM.normal(100, 15, 20_000).round().tolist()


def histograms(**values: list[Any]) -> Histograms:
    columns = {}
    for name, items in values.items():
        kind, there = kind_of(CONTRACT.column(name)), [item for item in items if item is not None]
        bins = Counter(map(code_of, there)) if kind in ("integer", "double") else {}
        classes = Counter(map(str, there)) if kind == "class" else {}
        columns[name] = Histogram(kind, len(items), len(items) - len(there), bins=bins, classes=classes)
    return Histograms(max(map(len, values.values()), default=0), columns)


def plan_of(*rules: tuple[str, dict[str, Any]]) -> Plan:
    made = [
        Rule(f"r{number}", kind, kwargs, "warn", EXPECTATIONS[kind].family, row_rule=False)
        for number, (kind, kwargs) in enumerate(rules)
    ]
    assert [
        told
        for rule in made
        for told in mistakes(CONTRACT, "processed", rule.type, rule.kwargs, rule.severity)
    ] == []
    return make_plan(Suite("things", "processed", tuple(made)), CONTRACT)


def ask(kind: str, kwargs: dict[str, Any], seen: Histograms, **baselines: Histograms) -> Outcome:
    plan = plan_of((kind, kwargs))
    chosen: dict[Baseline, Histograms] = baselines  # type: ignore[assignment]
    found = judge_distributions(plan, seen, chosen)
    (outcome,) = outcomes(plan, nothing_counted(plan), distributions=found)
    json.dumps(outcome.to_gx(), allow_nan=False)
    return outcome


def close(
    column: str = "size", statistic: str = "kl", max_value: float = 0.05, **more: Any
) -> dict[str, Any]:
    return {"column": column, "baseline": "previous", "statistic": statistic, "max_value": max_value, **more}
