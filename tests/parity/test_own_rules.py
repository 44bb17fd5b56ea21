"""Lakegate's own rules, which Great Expectations doesn't have, find the same on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.rules.expectation_types import EXPECTATIONS
from lake.engine.engine import Engine
from tests.support.parsing.plain_values import read_alike
from tests.support.planted.everything import clock_changes, everything
from tests.support.planted.gate import Gate
from tests.support.rules.compare_with_gx import ASKED, Lakegate, plan_of
from tests.support.rules.nasty_tables import TYPES, nasty
from tests.support.rules.tables_of_rules import OF_A_COLUMN

pytestmark = pytest.mark.usefixtures("in_utc")


@settings(ASKED, max_examples=1)
@given(data=st.data())
def test_each_rule_can_be_asked_of_every_kind_of_column_that_it_takes(
    data: st.DataObject, sail: Lakegate
) -> None:
    """None fails on the engine, whatever the column holds: what fails is no verdict."""
    asked = [
        (rule, data.draw(made(name)))
        for rule, made in OF_A_COLUMN.items()
        for name, kind in TYPES.items()
        if kind in EXPECTATIONS[rule].types
    ]
    assert {(rule, TYPES[kwargs["column"]]) for rule, kwargs in asked} >= {
        ("expect_column_max_to_be_between", "timestamp")
    }
    found = sail.ask(sail.frame(nasty(odd=True)), plan_of(asked))
    assert len(found) == len(asked)


@pytest.mark.spark
def test_both_engines_find_the_same_with_lakegates_own_rules(sail: Lakegate, spark: Lakegate) -> None:
    """One dirty table, with NULL, NaN and -0.0, one published table,
    and every rule that GX has no word for.
    """
    asked, rows, more = everything(7)
    gates = [Gate(lakegate.engine, lakegate.folder) for lakegate in (sail, spark)]
    found = [gate.ask(rows, asked, **more) for gate in gates]
    assert found[0] == found[1]
    assert {outcome.rule.type for outcome in found[0].outcomes if outcome.success} == {
        "expect_rows_not_to_be_delivered_again"
    }
    local, times, changes = clock_changes()
    assert [gate.ask(times, local).broken for gate in gates] == [changes, changes]


def test_plain_values_are_those_that_spark_reads(spark_engine: Engine, tmp_path: Path) -> None:
    read_alike(Gate(spark_engine, tmp_path))
