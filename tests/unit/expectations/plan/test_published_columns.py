"""The columns of published tables that are proved before rows are held against them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalog.files import load_catalog
from expectations.building.build import build_suite
from expectations.plan.published_columns import published_columns, reference_columns
from expectations.suite import Rule, Suite
from tests.support.places import ROOT

TEXT: dict[str, Any] = {"row_condition": "distance > 1", "condition_parser": "spark"}
JSON: dict[str, Any] = {
    "row_condition": {"type": "comparison", "column": {"name": "distance"}, "operator": ">", "parameter": 1}
}


@pytest.mark.parametrize(
    "condition", [TEXT, JSON, {"row_condition": {"type": "and", "conditions": [JSON["row_condition"]]}}]
)
def test_columns_of_a_condition_are_read_too_however_it_is_written(condition: dict[str, Any]) -> None:
    flights = load_catalog(ROOT).get("flights")
    rule = Rule(
        "once",
        "expect_column_values_to_be_unique",
        {"column": "tailnum", **condition},
        "quarantine",
        "duplicate",
        row_rule=True,
    )
    assert published_columns(Suite("flights", "processed", (rule,)), flights) == {
        "tailnum",
        "distance",
        "_drop",
    }
    every = replace(rule, type="expect_rows_not_to_be_delivered_again", kwargs={"max_share": 0})
    assert published_columns(Suite("flights", "processed", (every,)), flights) == {
        *(column.name for column in flights.columns),
        "_drop",
    }
    assert (
        published_columns(
            Suite("flights", "processed", (replace(rule, type="expect_column_values_to_not_be_null"),)),
            flights,
        )
        == set()
    )


def test_columns_of_a_reference_are_those_that_some_rule_looks_up() -> None:
    flights = load_catalog(ROOT).get("flights")
    suite = build_suite(flights, "processed", ROOT)
    assert reference_columns(suite, "airports") == {"faa"}
    assert reference_columns(suite, "planes") == {"tailnum"}
