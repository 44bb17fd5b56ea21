"""What no condition can make of any data: a failed drop. And a rule that fails all the same is named,
and is no verdict.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from expectations.plan.execute import count_rows, label
from expectations.plan.plan import make_plan
from expectations.rules.joins import ALONE
from expectations.suite import Rule, Suite
from lake.engine.failing_rule import naming_the_rule
from lakegate.errors import LakegateError, Transient
from tests.support.planted.gate import Gate
from tests.support.planted.rides import CONTRACT


def frame_of(gate: Gate) -> Any:
    return gate.frame(
        pa.table(
            {"ride": ["1", "x"], "city": ["Anna was unavailable", "b"], "_row": pa.array([1, 2], pa.int64())}
        )
    )


def plan_of(*rules: Rule) -> Any:
    return make_plan(Suite("rides", "processed", rules), CONTRACT)


def test_rule_that_an_engine_fails_on_is_named_and_no_value_is_told(sail: Gate) -> None:
    sound = Rule(
        "sound",
        "expect_column_values_to_not_be_null",
        {"column": "city"},
        "quarantine",
        "range",
        row_rule=True,
    )
    unsound = replace(sound, id="unsound")
    plan = plan_of(sound, unsound)
    plan = replace(plan, steps=(plan.steps[0], replace(plan.steps[1], sql="cast(city as bigint) > 1")))
    frame = frame_of(sail)
    with (
        pytest.raises(
            LakegateError, match="rule unsound: expect_column_values_to_not_be_null can't be evaluated"
        ) as caught,
        naming_the_rule(sail.engine, frame, plan, ALONE),
    ):
        sail.engine.write_scratch(label(frame, plan, keep=["_row"]), sail.folder / "unsound")
    assert not isinstance(caught.value, Transient)
    assert "Anna" not in str(caught.value)
    assert "run it again" not in str(caught.value)


def test_error_of_no_rule_is_told_as_it_is(sail: Gate) -> None:
    plan = plan_of(
        Rule(
            "sound",
            "expect_column_values_to_not_be_null",
            {"column": "city"},
            "quarantine",
            "range",
            row_rule=True,
        )
    )
    with (
        pytest.raises(LakegateError, match="the engine failed while counting"),
        naming_the_rule(sail.engine, frame_of(sail), plan, ALONE),
    ):
        sail.engine.rows(sail.engine.spark.sql("select 1 / 0"))
    lost = Transient("gone")
    with pytest.raises(Transient, match="gone"), naming_the_rule(sail.engine, frame_of(sail), plan, ALONE):
        raise lost
    assert count_rows(frame_of(sail), plan, sail.engine.rows).rows == len("ab")
