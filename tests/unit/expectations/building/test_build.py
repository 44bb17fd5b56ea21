from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Contract, Relationship
from catalog.rules.expectation_types import EXPECTATIONS
from expectations.building.build import HOPS, build_suite
from lakegate.errors import UsageError
from tests.support.catalog.demo_suites import CATALOG, FLIGHTS, ids
from tests.support.places import ROOT


@pytest.mark.parametrize("contract", CATALOG.contracts.values(), ids=lambda item: item.name)
def test_rules_have_each_an_id_of_its_own_and_are_known(contract: Contract) -> None:
    for hop in HOPS[contract.kind]:
        suite = build_suite(contract, hop, ROOT)
        assert len(set(ids(suite))) == len(suite.rules) > 0
        for rule in suite.rules:
            kind = EXPECTATIONS[rule.type]
            assert rule.row_rule == kind.row_rule
            assert kind.needs <= rule.kwargs.keys() <= kind.arguments
            assert rule.row_rule or rule.severity != "quarantine"


def test_raw_asks_for_columns_records_and_content() -> None:
    suite = build_suite(FLIGHTS, "raw", ROOT)
    assert suite.name == "flights_raw"
    assert [*ids(suite)[:1], *ids(suite)[-4:]] == [
        "column:year",
        "unexpected-columns",
        "duplicate-columns",
        "not-empty",
        "readable",
    ]
    assert {(rule.severity, rule.family, rule.row_rule) for rule in suite.rules} == {
        ("block", "schema", False)
    }
    by_id = {rule.id: rule for rule in suite.rules}
    assert len(by_id["unexpected-columns"].kwargs["column_set"]) == 19
    assert by_id["readable"].kwargs == {"max_share": 0.1}


def test_processed_asks_for_types_nulls_key_and_references() -> None:
    by_id = {rule.id: rule for rule in build_suite(FLIGHTS, "processed", ROOT).rules}
    assert by_id["type:dep_delay"].kwargs == {"column": "dep_delay", "type": "integer"}
    assert "type:carrier" not in by_id
    assert by_id["required:carrier"].family == "range"
    assert "required:dep_time" not in by_id
    assert by_id["key"].kwargs == {
        "column_list": ["time_hour", "carrier", "flight", "origin"],
        "ignore_row_if": "any_value_is_missing",
    }
    assert (by_id["key"].severity, by_id["key"].family) == ("quarantine", "duplicate")
    foreign = by_id["fk:dest->airports.faa"]
    assert foreign.kwargs == {"column": "dest", "reference": "airports", "reference_column": "faa"}
    assert (foreign.severity, foreign.family) == ("quarantine", "consistency")
    assert by_id["fk:tailnum->planes.tailnum"].severity == "warn"
    assert not {"not-empty", "max-quarantined"} & by_id.keys()


def test_full_delivery_may_neither_be_empty_nor_mostly_set_aside() -> None:
    by_id = {rule.id: rule for rule in build_suite(CATALOG.get("airlines"), "processed", ROOT).rules}
    assert by_id["not-empty"].kwargs == {"min_value": 1}
    assert by_id["max-quarantined"].kwargs == {"max_share": 0.1}
    assert {by_id[name].severity for name in ("not-empty", "max-quarantined")} == {"block"}
    assert by_id["key"].type == "expect_column_values_to_be_unique"


def test_features_refuse_a_fan_out_and_count_what_the_join_missed() -> None:
    by_id = {rule.id: rule for rule in build_suite(CATALOG.get("flight_features"), "features", ROOT).rules}
    assert by_id["no-fan-out"].kwargs == {"other_table_name": "flights"}
    assert (
        by_id["key"].severity == by_id["required:month"].severity == by_id["no-fan-out"].severity == "block"
    )
    assert (by_id["weather-found"].severity, by_id["weather-found"].family) == ("warn", "consistency")


def test_relationship_of_several_columns_names_them_in_order() -> None:
    contract = replace(
        FLIGHTS,
        relationships=(Relationship(("origin", "time_hour"), "weather", ("origin", "time_hour"), "warn"),),
    )
    by_id = {rule.id: rule for rule in build_suite(contract, "processed", ROOT).rules}
    rule = by_id["fk:origin,time_hour->weather.origin,time_hour"]
    assert rule.kwargs["column_list"] == rule.kwargs["reference_column_list"] == ["origin", "time_hour"]


def test_hop_that_a_contract_does_not_have_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="features"):
        build_suite(CATALOG.get("flight_features"), "raw", ROOT)


@given(st.randoms(use_true_random=False))
def test_hash_does_not_depend_on_the_order_of_keys_but_on_every_argument(shuffle: random.Random) -> None:
    suite = build_suite(FLIGHTS, "processed", ROOT)

    def shuffled(kwargs: dict[str, Any]) -> dict[str, Any]:
        items = list(kwargs.items())
        shuffle.shuffle(items)
        return dict(items)

    assert (
        replace(suite, rules=tuple(replace(rule, kwargs=shuffled(rule.kwargs)) for rule in suite.rules)).hash
        == suite.hash
    )
    i = shuffle.randrange(len(suite.rules))
    other = replace(suite.rules[i], severity="warn" if suite.rules[i].severity != "warn" else "block")
    assert replace(suite, rules=(*suite.rules[:i], other, *suite.rules[i + 1 :])).hash != suite.hash
