"""How far a column lies from a stated partition, and medians, means and deviations of great whole numbers:
the right values, on Sail.
"""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from typing import Any, Final

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.contract import Column, Contract
from catalog.rules.rule_checks import mistakes
from expectations.plan.execute import count_rows, outcomes
from expectations.plan.plan import make_plan
from expectations.suite import Rule, Suite
from expectations.verdict import Outcome
from tests.support.planted.gate import Gate
from tests.support.planted.rides import CONTRACT

COLUMNS: Final = (
    Column("n", "integer"),
    Column("x", "double"),
    Column("s", "string"),
    Column("b", "boolean"),
    Column("d", "date"),
)
TABLE: Final = Contract(
    name="t", kind="dataset", path=CONTRACT.path, hash="", columns=COLUMNS, key=("n",), write_mode="append"
)
KL: Final = "expect_column_kl_divergence_to_be_less_than"
BIG: Final = 9007199254740993
LARGE: Final = 999999999999999999


def ask(gate: Gate, rows: dict[str, list[Any]], *rules: tuple[str, dict[str, Any]]) -> tuple[Outcome, ...]:
    for kind, kwargs in rules:
        assert [item.what for item in mistakes(TABLE, "processed", kind, kwargs, "warn")] == []
    made = [
        Rule(f"r{number}", kind, kwargs, "warn", "range", row_rule=False)
        for number, (kind, kwargs) in enumerate(rules)
    ]
    plan = make_plan(Suite("t", "processed", tuple(made)), TABLE)
    types = {"n": pa.int64(), "x": pa.float64(), "s": pa.string(), "b": pa.bool_(), "d": pa.date32()}
    size = len(next(iter(rows.values())))
    frame = gate.frame(
        pa.table({name: pa.array(rows.get(name, [None] * size), kind) for name, kind in types.items()})
    )
    return outcomes(plan, count_rows(frame, plan, gate.engine.rows))


def exactly(kind: str, value: float) -> tuple[str, dict[str, Any]]:
    return f"expect_column_{kind}_to_be_between", {"column": "n", "min_value": value, "max_value": value}


def test_medians_and_means_of_great_whole_numbers_are_exact(sail: Gate) -> None:
    asked = [
        exactly("median", BIG),
        exactly("mean", BIG),
        exactly("median", BIG - 1),
        exactly("mean", BIG + 1),
    ]
    assert [item.success for item in ask(sail, {"n": [BIG] * 11}, *asked)] == [True, True, False, False]
    found = ask(
        sail,
        {"n": [LARGE] * 10 + [BIG]},
        exactly("median", LARGE),
        exactly("median", 10**18),
        exactly("median", LARGE - 1),
    )
    assert [item.success for item in found] == [True, False, False]
    (found_half,) = ask(sail, {"n": [-LARGE, 10**18]}, exactly("median", 0.5))
    assert (found_half.success, found_half.observed["observed_value"]) == (True, 0.5)
    (third,) = ask(sail, {"n": [0, 0, 1]}, exactly("mean", 1 / 3))
    assert third.success


@given(
    st.lists(
        st.none() | st.integers(-(10**18), 10**18) | st.integers(BIG - 3, BIG + 3), min_size=1, max_size=9
    )
)
@settings(
    max_examples=12,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
def test_they_are_what_pythons_whole_numbers_give(sail: Gate, numbers: list[int | None]) -> None:
    there = [number for number in numbers if number is not None]
    quantile = {"column": "n", "quantile_ranges": {"quantiles": [0.25], "value_ranges": [[None, None]]}}
    middle, mean, low = ask(
        sail,
        {"n": numbers},
        exactly("median", 0),
        exactly("mean", 0),
        ("expect_column_quantile_values_to_be_between", quantile),
    )
    if not there:
        assert [item.observed["observed_value"] for item in (middle, mean)] == [None, None]
        return
    wanted = (statistics.median(map(Fraction, there)), Fraction(sum(there), len(there)))
    assert [item.observed["observed_value"] for item in (middle, mean)] == [
        float(item) if item.denominator > 1 else int(item) for item in wanted
    ]
    assert low.observed["observed_value"]["values"] == [sorted(there)[math.ceil(len(there) / 4) - 1]]


def test_deviation_of_great_whole_numbers_is_that_of_small_ones(sail: Gate) -> None:
    numbers = [LARGE, LARGE - 2, LARGE - 7, LARGE - 11]
    wanted = statistics.stdev([0, 2, 7, 11])
    bounds = {"column": "n", "min_value": wanted - 1e-9, "max_value": wanted + 1e-9}
    (found,) = ask(sail, {"n": numbers}, ("expect_column_stdev_to_be_between", bounds))
    assert found.success


BINS: Final = {"bins": [0, 2, 4], "weights": [0.5, 0.25], "tail_weights": [0.125, 0.125]}


def kl(column: str, partition: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    return KL, {"column": column, "partition_object": partition, "threshold": 0.1, **more}


def test_kl_over_bins_is_found_of_counts(sail: Gate) -> None:
    rows = {"x": [-1.0, 0.0, 1.0, 1.5, -0.0, 2.0, 4.0, 5.0, None], "n": [-1, 0, 1, 1, 0, 2, 4, 5, None]}
    for column in ("x", "n"):
        (found,) = ask(sail, rows, kl(column, BINS))
        assert (found.success, found.observed["observed_value"]) == (True, 0.0)  # 1, 4, 2, 1 of 8
    (found,) = ask(
        sail,
        {"x": [0.0, 1.0, 2.0, 9.0]},
        kl("x", {"bins": [0, 2, 3], "weights": [0.9, 0.1]}, tail_weight_holdout=0.2),
    )
    parts = [(2, 0.72), (1, 0.08), (1, 0.1)]
    wanted = sum(seen / 4 * math.log(seen / 4 / (weight / 1.0)) for seen, weight in parts)
    assert found.observed["observed_value"] == pytest.approx(wanted)
    assert not found.success
    found, empty, odd = (
        ask(sail, {"x": values}, kl("x", {"bins": [0, 2, 4], "weights": [0.5, 0.5]}))[0]
        for values in ([1.0, 9.0], [None], [1.0, math.nan])
    )
    assert [item.success for item in (found, empty, odd)] == [False, False, False]
    assert [item.observed["told"] for item in (found, empty, odd)] == [
        "values stand where the partition has none",
        "x holds no value",
        "x holds NaN",
    ]


@pytest.mark.parametrize(
    ("column", "values", "partition"),
    [
        ("s", ["a", "b", "b", "b"], {"values": ["a", "b"], "weights": [0.25, 0.75]}),
        ("b", [True, False], {"values": [True, False], "weights": [0.5, 0.5]}),
        ("n", [1, 2], {"values": [1, 2], "weights": [0.5, 0.5]}),
        ("x", [0.5, -0.0], {"values": [0.5, 0], "weights": [0.5, 0.5]}),
    ],
)
def test_kl_over_values_is_asked_of_every_kind_of_column(
    column: str, values: list[Any], partition: dict[str, Any], sail: Gate
) -> None:
    (found,) = ask(sail, {column: [*values, None]}, kl(column, partition))
    assert (found.success, found.observed["observed_value"]) == (True, 0.0)
    other = {"s": "z", "b": None, "n": 9, "x": 9.5}[column]
    (found,) = ask(sail, {column: [*values, other]}, kl(column, partition))
    assert found.success is (other is None)
    (found,) = ask(
        sail,
        {column: [*values, other]},
        kl(column, partition, tail_weight_holdout=0.2) if other else kl(column, partition),
    )
    known = len(values) / (len(values) + 1)
    wanted = (
        0.0 if other is None else known * math.log(known / 0.8) + (1 - known) * math.log((1 - known) / 0.2)
    )
    assert found.observed["observed_value"] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("kwargs", "what"),
    [
        ({"partition_object": {"bins": [0, 1], "weights": [0.5]}}, "add up to 0.5"),
        ({"partition_object": {"bins": [1, 0], "weights": [1]}}, "rise"),
        (
            {"partition_object": {"values": ["a"], "weights": [1]}, "column": "n"},
            "not different values of column 'n'",
        ),
        ({"partition_object": {"bins": [0, 1], "weights": [1]}, "column": "s"}, "bins are of numbers"),
        ({"partition_object": {"bins": [0, 1], "weights": [1, 0]}}, "each bin has one"),
        ({"partition_object": [1]}, "neither values and weights"),
        ({"threshold": -1}, "threshold is -1"),
        ({"tail_weight_holdout": 1}, "tail_weight_holdout is 1"),
        ({"partition_object": BINS, "tail_weight_holdout": 0.1}, "tail_weights"),
        (
            {
                "partition_object": {"values": [1], "weights": [1]},
                "internal_weight_holdout": 0.1,
                "column": "n",
            },
            "for bins",
        ),
        ({"bucketize_data": False}, "for values"),
    ],
)
def test_mistake_in_a_partition_is_told_before_any_data_is_read(kwargs: dict[str, Any], what: str) -> None:
    given = {"column": "x", "partition_object": {"bins": [0, 1], "weights": [1]}, "threshold": 0.1} | kwargs
    found = list(mistakes(TABLE, "processed", KL, given, "warn"))
    assert any(what in item.what for item in found), found
    assert all(item.fix for item in found)
