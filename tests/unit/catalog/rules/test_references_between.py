"""Rules and relationships that name other datasets are checked against those."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.files import load_catalog
from expectations.building.build import build_suite
from tests.support.catalog.catalog_files import change


def test_relationship_to_a_missing_dataset_is_told_at_its_line(lake: Path) -> None:
    change(lake, "flights", "to: planes.tailnum", "to: plains.tailnum")
    error = load_catalog(lake).broken["flights"]
    path, _, line = error.where.rpartition(":")
    assert "plains" in Path(path).read_text().splitlines()[int(line) - 1]
    assert "'planes'" in error.fix


@pytest.mark.parametrize(("to", "text"), [("planes.tail", "'tailnum'"), ("planes.seats", "same logicalType")])
def test_relationship_to_a_column_that_does_not_fit_is_told(lake: Path, to: str, text: str) -> None:
    change(lake, "flights", "to: planes.tailnum", f"to: {to}")
    assert text in load_catalog(lake).broken["flights"].fix


RULE = (
    "      - {{id: agrees, type: custom, engine: greatExpectations, severity: warn, implementation: "
    "{{type: {type}, kwargs: {kwargs}}}}}\n"
)
AGREES = "{column: origin, on: [dest], reference: airports, reference_on: [faa], reference_column: name}"


def state(lake: Path, name: str, kwargs: str, type_: str = "expect_column_to_agree_with_reference") -> None:
    change(lake, name, "    quality:\n", "    quality:\n" + RULE.format(type=type_, kwargs=kwargs))


def test_rule_may_name_a_dataset_whose_version_is_then_pinned(lake: Path) -> None:
    state(lake, "weather", AGREES.replace("dest", "origin"))
    catalog = load_catalog(lake)
    assert catalog.broken == {}
    assert "airports" in catalog.get("weather").references


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("airports", "airport", "'airports'"),
        ("airports", "flights", "correct that contract"),
        ("reference_on: [faa]", "reference_on: [fa]", "'faa'"),
        ("reference_column: name", "reference_column: lat", "one type"),
        ("reference_on: [faa]", "reference_on: [faa, name]", "as many"),
        ("on: [dest]", "on: [dests]", "'dest'"),
    ],
)
def test_rule_that_names_what_another_dataset_lacks_is_told_at_its_line(
    lake: Path, old: str, new: str, text: str
) -> None:
    state(lake, "flights", AGREES.replace(old, new, 1))
    error = load_catalog(lake).broken["flights"]
    path, _, line = error.where.rpartition(":")
    assert "id: agrees" in Path(path).read_text().splitlines()[int(line) - 1]
    assert text in error.fix


SUMS = (
    "{column: distance, by: [carrier], reference: flights, "
    "reference_column: distance, reference_by: [carrier]}"
)


def test_feature_is_held_against_its_inputs_and_nothing_else(lake: Path) -> None:
    kind = "expect_sum_to_agree_with_reference"
    state(lake, "flight_features", SUMS, kind)
    assert load_catalog(lake).broken == {}
    for old, new, what, fix in (
        ("reference: flights", "reference: planes", "'planes' is no input of flight_features", "weather"),
        (
            "reference_column: distance",
            "reference_column: distanc",
            "flights has no column 'distanc'",
            "'distance'",
        ),
        ("reference_column: distance", "reference_column: carrier", "of type string", "one type"),
    ):
        change(lake, "flight_features", old, new)
        found = load_catalog(lake).broken["flight_features"]
        assert what in found.what
        assert fix in found.fix
        change(lake, "flight_features", new, old)


def test_feature_points_at_its_inputs_and_nothing_else(lake: Path) -> None:
    item = "relationships: [{to: flights.carrier, customProperties: [{property: severity, value: block}]}]"
    change(
        lake,
        "flight_features",
        "        primaryKeyPosition: 2\n",
        f"        primaryKeyPosition: 2\n        {item}\n",
    )
    contract = load_catalog(lake).get("flight_features")
    (rule,) = (rule for rule in build_suite(contract, "features", lake).rules if rule.id.startswith("fk:"))
    assert (rule.severity, rule.kwargs["reference"]) == ("block", "flights")
    change(lake, "flight_features", "to: flights.carrier", "to: airlines.carrier")
    found = load_catalog(lake).broken["flight_features"]
    assert found.what == "the relationship points at 'airlines', which is no input of flight_features"
    assert "flights" in found.fix


def test_foreign_key_may_have_several_columns(lake: Path) -> None:
    pair = "from: [flights.origin, flights.time_hour], to: [weather.origin, weather.time_hour]"
    word = "customProperties: [{property: severity, value: warn}]"
    change(
        lake, "flights", "    quality:\n", f"    relationships:\n      - {{{pair}, {word}}}\n    quality:\n"
    )
    contract = load_catalog(lake).get("flights")
    (rule,) = (
        rule
        for rule in build_suite(contract, "processed", lake).rules
        if rule.id.endswith("weather.origin,time_hour")
    )
    assert rule.type == "expect_compound_columns_to_exist_in_reference"
    assert rule.kwargs["column_list"] == rule.kwargs["reference_column_list"] == ["origin", "time_hour"]
