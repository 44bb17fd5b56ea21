"""What the plan leaves to Great Expectations is its own result, and a divergence is that of pandas."""

from __future__ import annotations

import math
from typing import Final

import pytest

from tests.support.rules.compare_with_gx import Gx, Lakegate, plan_of
from tests.support.rules.gx_departures import DIVERGENCE
from tests.support.rules.nasty_tables import TYPES
from tests.support.rules.suites_of_rules import Kwargs

pytestmark = pytest.mark.usefixtures("in_utc")

TEXTS: Final = [
    '{"a": 1}',
    "{",
    None,
    "",
    "2020-01-01",
    '"é"',
    "[1]",
    "2020-13-01",
    "2020-02-30",
    "nan",
    '"',
    "2020-01-01\n",
]
PARTITION: Final = {"values": [text for text in TEXTS if text is not None], "weights": [1 / 11] * 11}


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("expect_column_values_to_be_json_parseable", {"column": "name"}),
        (
            "expect_column_values_to_be_json_parseable",
            {"column": "name", "row_condition": "name <> '{'", "condition_parser": "spark"},
        ),
        (
            "expect_column_values_to_match_strftime_format",
            {"column": "name", "strftime_format": "%Y-%m-%d", "mostly": 0.1},
        ),
    ],
)
def test_rule_that_the_plan_leaves_to_gx_is_gxs_own_result(
    kind: str, kwargs: Kwargs, sail: Lakegate, gx: Gx
) -> None:
    rows = [dict.fromkeys(TYPES) | {"name": text, "other": "a"} for text in TEXTS]
    plan, frame = plan_of([(kind, kwargs)]), sail.frame(rows)
    ((outcome, broken),) = sail.ask(frame, plan).values()
    (result,) = gx.validate(gx.frames.get_batch({"dataframe": frame}), list(plan.suite.rules)).values()
    assert [step.way for step in plan.steps] == ["gx"]
    assert outcome.success == result["success"]
    assert broken == {item["_row"] for item in result["result"].get("unexpected_index_list") or []}


PARTITIONS: Final[list[Kwargs]] = [
    {"column": "name", "partition_object": PARTITION},
    {"column": "other", "partition_object": PARTITION, "tail_weight_holdout": 0.3},
    {"column": "other", "partition_object": {"values": ["a", "z"], "weights": [0.25, 0.75]}},
    {"column": "first", "partition_object": {"values": [0, 1, 5], "weights": [0.5, 0.25, 0.25]},
        "tail_weight_holdout": 0.1},
    {"column": "real", "partition_object": {"bins": [0, 1, 2.5, 4], "weights": [0.5, 0.25, 0.25]},
        "tail_weight_holdout": 0.2},
    {"column": "real", "partition_object": {"bins": [0, 1, 2.5, 4], "weights": [0.5, 0, 0.5]},
        "tail_weight_holdout": 0.2, "internal_weight_holdout": 0.1},
    {"column": "real", "partition_object": {"bins": [1, 2, 4], "weights": [0.5, 0.25],
        "tail_weights": [0.125, 0.125]}},
    {"column": "real", "partition_object": {"bins": [-math.inf, 0.5, 2, math.inf],
        "weights": [0.5, 0.25, 0.25]}},
    {"column": "real", "partition_object": {"bins": [-math.inf, 0.5, 2], "weights": [0.5, 0.5]},
        "tail_weight_holdout": 0.1},
    {"column": "first", "partition_object": {"bins": [0, 2, 9], "weights": [0.5, 0.5]}},
]  # fmt: skip


@pytest.mark.parametrize("kwargs", PARTITIONS)
def test_divergence_is_that_of_gx_on_pandas(kwargs: Kwargs, sail: Lakegate) -> None:
    """GX finds no histogram on Sail."""
    import great_expectations
    import pandas as pd

    rows = [
        dict.fromkeys(TYPES)
        | {
            "name": TEXTS[number % 12],
            "other": "ab"[number % 3 > 1],
            "first": number % 6,
            "real": number % 9 / 2 - 0.5,
        }
        for number in range(36)
    ] + [dict.fromkeys(TYPES)]
    asked = {**kwargs, "threshold": 0.4}
    ((outcome, _),) = sail.ask(sail.frame(rows), plan_of([(DIVERGENCE, asked)])).values()
    context = great_expectations.get_context(mode="ephemeral")
    batch = (
        context.data_sources.add_pandas("p")
        .add_dataframe_asset("a")
        .add_batch_definition_whole_dataframe("b")
    )
    frame = pd.DataFrame(
        {kwargs["column"]: [row[kwargs["column"]] for row in rows if row[kwargs["column"]] is not None]}
    )
    result = batch.get_batch({"dataframe": frame}).validate(
        great_expectations.expectations.ExpectColumnKLDivergenceToBeLessThan(**asked)
    )
    assert outcome.success == result.success
    assert outcome.observed["observed_value"] == (
        None if (seen := result.result["observed_value"]) is None else pytest.approx(seen)
    )
