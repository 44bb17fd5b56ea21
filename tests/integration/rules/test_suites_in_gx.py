"""Every suite that a contract gives is one that Great Expectations itself loads; apart,
for importing GX takes seconds.
"""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import Any

import pytest

from catalog.contract import Contract
from catalog.files import load_catalog
from catalog.rules.expectation_types import EXPECTATIONS, OWN
from expectations.building.build import HOPS, build_suite
from tests.support.places import ROOT


def moments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The bounds of a column of times as the moments they name, which GX spells in its own way."""
    bounds = {
        name: value
        for name, value in kwargs.items()
        if name in ("min_value", "max_value") and isinstance(value, str)
    }
    return kwargs | {name: datetime.fromisoformat(value) for name, value in bounds.items()}


@pytest.mark.parametrize("contract", load_catalog(ROOT).contracts.values(), ids=lambda item: item.name)
def test_great_expectations_loads_the_suite_with_severities(contract: Contract) -> None:
    gx = importlib.import_module("great_expectations")
    importlib.import_module("expectations.gx.expectation_classes")
    for hop in HOPS[contract.kind]:
        suite = build_suite(contract, hop, ROOT)
        loaded = gx.ExpectationSuite(**suite.to_gx())
        assert [item.expectation_type for item in loaded.expectations] == [rule.type for rule in suite.rules]
        body = loaded.to_json_dict()["expectations"]
        assert [item["meta"]["lakegate"]["severity"] for item in body] == [
            rule.severity for rule in suite.rules
        ]
        for item, rule in zip(body, suite.rules, strict=True):
            assert (
                moments(item["kwargs"]).items() <= moments(rule.kwargs).items()
            )  # GX leaves out its defaults


def test_every_expectation_type_is_registered_with_gx() -> None:
    importlib.import_module("great_expectations")
    importlib.import_module("expectations.gx.expectation_classes")
    registry = importlib.import_module("great_expectations.expectations.registry")
    unknown = [name for name in EXPECTATIONS if not registry.get_expectation_impl(name)]
    assert unknown == []


def test_lakegates_own_types_take_every_argument_that_a_contract_may_give() -> None:
    importlib.import_module("expectations.gx.expectation_classes")
    registry = importlib.import_module("great_expectations.expectations.registry")
    refused = {
        name: EXPECTATIONS[name].arguments - registry.get_expectation_impl(name).__fields__.keys()
        for name in OWN
    }
    assert {name: found for name, found in refused.items() if found} == {}
    told = {"row_condition": "size > 1", "condition_parser": "spark", "condition": "size < 9"}
    suite = importlib.import_module("great_expectations").ExpectationSuite(
        name="told", expectations=[{"type": "expect_rows_to_satisfy", "kwargs": told, "severity": "info"}]
    )
    (back,) = suite.to_json_dict()["expectations"]
    assert back["kwargs"]["condition"] == "size < 9"
