"""The plan's SQL means what Great Expectations means: the same rows break the same rules,
on Sail and on Spark.

GX itself is asked, on the same session and frame. Where the two differ on purpose,
`DEPARTURES` says why and for which rows; all others must agree.
"""

from __future__ import annotations

import math
import os
from typing import Final

import pytest
from hypothesis import given, settings

from catalog.rules.expectation_types import EXPECTATIONS
from tests.support.rules.compare_with_gx import ASKED, Gx, Lakegate, disagreements, plan_of
from tests.support.rules.gx_departures import DIVERGENCE, Kinds
from tests.support.rules.nasty_tables import TYPES, Row, nasty, tables
from tests.support.rules.suites_of_rules import suites
from tests.support.rules.tables_of_rules import ROW_RULES, SQL_RULES, TABLE_RULES

pytestmark = pytest.mark.usefixtures("in_utc")

ALL_RULES: Final = ROW_RULES | TABLE_RULES | SQL_RULES
TYPE_RULES: Final = {
    "expect_column_type_to_be",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
}
# GX 1.24.1 leaves the condition out where it looks for pairs, a type has none, and SQLite reads no Spark SQL.
SUITES: Final = suites(
    ALL_RULES, unconditional={"expect_column_pair_values_to_be_in_set", *TYPE_RULES, *SQL_RULES}
)


@settings(ASKED, max_examples=12)
@given(rows=tables(0, 1, 5, 12, 25, 25), kinds=SUITES)
def test_plan_finds_what_gx_finds_on_sail(rows: list[Row], kinds: Kinds, sail: Lakegate, gx: Gx) -> None:
    assert disagreements(sail, gx, rows, kinds) == []


@pytest.mark.spark
@settings(
    ASKED, max_examples=int(os.environ.get("LAKEGATE_SPARK_EXAMPLES", "1"))
)  # GX asks a query for each of its rules
@given(rows=tables(40, 30, 0), kinds=SUITES)
def test_plan_finds_what_gx_finds_on_spark(rows: list[Row], kinds: Kinds, spark: Lakegate, gx: Gx) -> None:
    assert disagreements(spark, gx, rows, kinds) == []


@pytest.mark.spark
@pytest.mark.parametrize("odd", [True, False], ids=["with NaN and infinite numbers", "with finite numbers"])
@settings(ASKED, max_examples=1)
@given(kinds=SUITES)
def test_both_engines_label_one_nasty_table_alike(
    kinds: Kinds, odd: bool, sail: Lakegate, spark: Lakegate
) -> None:
    plan = plan_of(kinds)
    answers = [lakegate.ask(lakegate.frame(nasty(odd=odd)), plan) for lakegate in (sail, spark)]
    different = [
        (own, other)
        for own, other in zip(*(answer.values() for answer in answers), strict=True)
        if own != other
    ]
    assert different == []


def test_every_type_of_gx_that_the_plan_covers_is_asked_here() -> None:
    from great_expectations.expectations import core

    shipped = {getattr(kind, "expectation_type", None) for kind in vars(core).values()}
    covered = {
        name for name, kind in EXPECTATIONS.items() if name in shipped and kind.planned and not kind.generated
    }
    assert len(covered) >= 35
    assert covered == ALL_RULES.keys() | {DIVERGENCE}


def test_gx_takes_every_argument_that_a_contract_may_give() -> None:
    from great_expectations.expectations.registry import get_expectation_impl

    refused = {
        name: EXPECTATIONS[name].arguments - get_expectation_impl(name).__fields__.keys()
        for name in ALL_RULES
    }
    assert {name: found for name, found in refused.items() if found} == {}


@pytest.mark.parametrize("odd", [math.inf, math.nan])
def test_huge_number_beside_an_odd_one_fails_the_rule_and_does_not_stop_the_gate(
    odd: float, sail: Lakegate
) -> None:
    rows = [dict.fromkeys(TYPES) | {"real": value} for value in (1e300, odd)]
    plan = plan_of([("expect_column_mean_to_be_between", {"column": "real", "min_value": 0})])
    ((outcome, _),) = sail.ask(sail.frame(rows), plan).values()
    assert not outcome.success
