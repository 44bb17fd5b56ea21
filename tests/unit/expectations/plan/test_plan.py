"""A suite's plan: what each rule becomes, and what all of them together cost."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

import pytest

from catalog.contract import Contract
from catalog.expressions.spark_sql import condition_sql, literal, text
from catalog.files import load_catalog
from catalog.rules.rule_checks import mistakes
from expectations.building.build import HOPS, build_suite
from expectations.plan.plan import make_plan
from expectations.rules.aggregates import scale, spread
from tests.support.places import ROOT
from tests.support.rules.planned_rules import CONTRACT, plan_of

CATALOG = load_catalog(ROOT)

COLUMNS = {column.name: column for column in CONTRACT.columns}


@pytest.mark.parametrize("contract", CATALOG.contracts.values(), ids=lambda item: item.name)
def test_suites_of_the_demo_need_no_great_expectations(contract: Contract) -> None:
    for hop in HOPS[contract.kind]:
        plan = make_plan(build_suite(contract, hop, ROOT), contract)
        assert "gx" not in {step.way for step in plan.steps}
        assert [step.rule for step in plan.steps] == list(plan.suite.rules)


def test_plan_is_made_without_importing_great_expectations_or_an_engine() -> None:
    code = (
        "import sys; from pathlib import Path; from catalog.files import load_catalog; from "
        "expectations.building.build import build_suite;"
        "from expectations.plan.plan import make_plan; import expectations.plan.execute; c = "
        "load_catalog(Path('.')).get('flights');"
        "make_plan(build_suite(c, 'processed', Path('.')), c).to_json();"
        "assert not {'great_expectations', 'pyspark', 'pysail', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_more_rules_are_more_expressions_and_no_more_passes() -> None:
    one = plan_of(("expect_column_values_to_be_between", {"column": "size", "min_value": 1}))
    many = plan_of(
        *[
            ("expect_column_values_to_be_between", {"column": "size", "min_value": number})
            for number in range(48)
        ]
    )
    assert one.passes == many.passes
    both = [
        ("expect_column_mean_to_be_between", {"column": "real", "max_value": 1}),
        ("expect_column_stdev_to_be_between", {"column": "real", "max_value": 1}),
    ]
    assert len(plan_of(*both).spreads) == 1
    assert plan_of(*both).passes["passes"] == one.passes["passes"] + 1


def test_type_without_sql_falls_back_and_says_so() -> None:
    (step,) = plan_of(("expect_column_values_to_be_json_parseable", {"column": "name"})).steps
    assert (step.way, step.sql) == ("gx", None)
    assert "Great Expectations" in step.cost


@pytest.mark.parametrize(
    ("kind", "kwargs", "sql"),
    [
        (
            "expect_column_values_to_be_between",
            {"column": "size", "min_value": 1, "strict_min": True},
            "(`size` <= 1)",
        ),
        (
            "expect_column_values_to_be_between",
            {"column": "real", "max_value": 2.5},
            "(`real` > 2.5D or isnan(`real`))",
        ),
        (
            "expect_column_values_to_be_in_set",
            {"column": "name", "value_set": ["it's", "a\\b"]},
            "not `name` in ('it\\'s', 'a\\\\b')",
        ),
        (
            "expect_column_values_to_match_regex",
            {"column": "name", "regex": "^[a-z]$"},
            "not (`name` rlike '^[a-z]\\\\z')",
        ),
        (
            "expect_column_values_to_not_be_null",
            {"column": "name", "row_condition": "size > 1", "condition_parser": "spark"},
            "((`size` > 1) and `name` is null)",
        ),
    ],
)
def test_row_rule_is_true_where_a_row_breaks_it(kind: str, kwargs: dict[str, Any], sql: str) -> None:
    assert plan_of((kind, kwargs)).steps[0].sql == sql


def test_values_are_written_as_literals_that_can_not_break_out() -> None:
    assert text("a'b\\c\n") == "'a\\'b\\\\c\\n'"
    assert literal("2013-01-31T05:00", "timestamp") == "timestamp'2013-01-31 05:00:00Z'"
    assert literal("2013-01-31", "date") == "date'2013-01-31'"
    assert literal(1e-05, "double") == "1e-05D"


def test_condition_in_gxs_json_becomes_sql() -> None:
    condition = {
        "type": "and",
        "conditions": [
            {"type": "comparison", "column": {"name": "name"}, "operator": "IN", "parameter": ["a", "b"]},
            {"type": "nullity", "column": {"name": "size"}, "is_null": False},
        ],
    }
    assert condition_sql(condition, COLUMNS) == "(`name` in ('a', 'b') and `size` is not null)"


@pytest.mark.parametrize(
    ("kind", "kwargs", "severity", "what"),
    [
        ("expect_column_mean_to_be_between", {"column": "real", "max_value": 1}, "quarantine",
            "judges the table"),
        ("expect_column_mean_to_be_between", {"column": "name", "max_value": 1}, "warn", "can't judge"),
        ("expect_column_values_to_be_in_set", {"column": "person", "value_set": ["Ann"]}, "warn", "personal"),
        ("expect_column_pair_values_to_be_in_set",
            {"column_A": "person", "column_B": "name", "value_pairs_set": [["a", "b"]]}, "warn", "personal"),
        ("expect_column_values_to_match_regex", {"column": "name", "regex": "("}, "warn", "no pattern"),
        ("expect_column_values_to_match_regex", {"column": "name", "regex": "\\d+"}, "warn", "every engine"),
        ("expect_column_values_to_be_null", {"column": "name", "row_condition": "nobody = 1"}, "warn",
            "no column"),
        ("expect_column_values_to_be_null", {"column": "name", "row_condition": "person = 'Ann'"}, "warn",
            "personal"),
        ("expect_column_values_to_be_null", {"column": "name", "mostly": 0.5}, "quarantine", "mostly"),
        ("expect_column_values_to_match_like_pattern", {"column": "name", "like_pattern": "a\\%"}, "warn",
            "backslash"),
        ("expect_column_pair_values_to_be_equal", {"column_A": "name", "column_B": "size"}, "warn",
            "of type"),
        ("expect_column_quantile_values_to_be_between",
            {"column": "real", "quantile_ranges": {"quantiles": [2], "value_ranges": [[1, 2]]}}, "warn",
            "between 0 and 1"),
        ("expect_column_values_to_be_of_type", {"column": "real", "type_": "Float"}, "warn", "no type"),
    ],
)  # fmt: skip
def test_mistake_in_a_rule_is_told_before_any_data_is_read(
    kind: str, kwargs: dict[str, Any], severity: Any, what: str
) -> None:
    found = list(mistakes(CONTRACT, "processed", kind, kwargs, severity))
    assert any(what in item.what for item in found), found
    assert all(item.fix for item in found)


def test_sums_in_whole_units_give_mean_and_deviation() -> None:
    values = [0.1, 0.2, 0.7, -3.5]
    centre, unit = scale(min(values), max(values))
    steps = [round((value - centre) / unit) for value in values]
    found = spread(len(values), centre, unit, (sum(steps), sum(round(step * step / 2**52) for step in steps)))  # type: ignore[arg-type]
    assert found.mean == pytest.approx(sum(values) / 4, rel=1e-12)
    assert found.stdev == pytest.approx(statistics.stdev(values), rel=1e-9)


def test_foreign_keys_of_one_column_to_two_columns_of_a_reference_are_looked_up_each() -> None:
    """A person may be somebody's customer and nobody's manager."""
    names = ("customer", "manager")
    wanted = [{"column": "name", "reference": "people", "reference_column": there} for there in names]
    plan = plan_of(*(("expect_column_values_to_exist_in_reference", kwargs) for kwargs in wanted))
    assert [lookup.reference_column for lookup in plan.lookups] == list(names)
    for step in plan.steps:
        assert step.lookup is not None
        assert step.sql is not None
        assert step.lookup.marker in step.sql
    assert len({step.sql for step in plan.steps}) == len(names)
