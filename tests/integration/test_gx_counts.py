"""Lakegate's one pass must count what Great Expectations counts, rule by rule, over every kind of value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.contract import Column, Contract
from expectations.frame import frame_types, typed
from expectations.rows import label, mark_duplicates, tally, unique_columns
from expectations.suite import Rule, Suite
from lake.engine import Engine
from lakegate.home import Endpoint
from lakegate.settings import Settings

CONTRACT = Contract(
    name="mixed",
    kind="dataset",
    path=Path("mixed.odcs.yaml"),
    hash="",
    columns=(
        Column("name", "string"),
        Column("first", "integer"),
        Column("second", "integer"),
        Column("real", "double"),
        Column("at", "timestamp"),
    ),
    key=("name",),
    write_mode="append",
)
ROWS = [
    ("a", "1", "2", "0.5", "2013-01-01T10:00:00Z"),
    ("a", "3", "2", "-0.5", "2014-01-01T10:00:00Z"),
    ("bb", "2", "2", "1e3", None),
    ("", None, "2", "inf", "2013-06-01T00:00:00Z"),
    (None, "5", None, "-inf", "2013-01-01T10:00:00Z"),
    ("é", None, None, None, None),
    ("ABC", "x", "7", "text", "soon"),
    ("abcdef", "9", "8", "2", "2012-01-01T00:00:00Z"),
]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_not_be_null", {"column": "first"}),
    ("expect_column_values_to_be_between", {"column": "first", "min_value": 2, "max_value": 5}),
    ("expect_column_values_to_be_between", {"column": "first", "min_value": 2, "strict_min": True}),
    ("expect_column_values_to_be_between", {"column": "real", "max_value": 1.0}),
    ("expect_column_values_to_be_in_set", {"column": "name", "value_set": ["a", "bb", ""]}),
    ("expect_column_values_to_match_regex", {"column": "name", "regex": "^[a-z]+$"}),
    ("expect_column_value_lengths_to_be_between", {"column": "name", "min_value": 1, "max_value": 3}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "first", "column_B": "second"}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "first", "column_B": "second", "or_equal": True}),
    ("expect_column_values_to_be_unique", {"column": "name"}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["second", "at"]}),
    ("expect_column_values_to_be_of_declared_type", {"column": "first", "type": "integer"}),
    ("expect_column_values_to_be_of_declared_type", {"column": "at", "type": "timestamp"}),
]
SUITE = Suite(
    "mixed.processed",
    "processed",
    tuple(Rule(f"rule{number:02}", kind, kwargs, "quarantine", "range", row_rule=True) for number, (kind, kwargs) in enumerate(KINDS)),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(Settings.load(home=tmp_path_factory.mktemp("gx"), environ={}), Endpoint("http://127.0.0.1:9", "none", "none"))


@pytest.fixture(scope="module")
def frame(engine: Engine) -> Any:
    names = "name string, first string, second string, real string, at string, _row bigint, _record string"
    return typed(engine.spark.createDataFrame([(*row, number, "") for number, row in enumerate(ROWS, 1)], names), CONTRACT)


@pytest.fixture(scope="module")
def ours(engine: Engine, frame: Any) -> dict[str, int]:
    marked = frame
    for rule in SUITE.rules:
        if "unique" in rule.type:
            marked = mark_duplicates(marked, rule, published=None)
    labelled = label(marked, SUITE, frame_types(CONTRACT, with_text=True), keep=["name", "_row"])
    _, by_rule = tally(labelled)
    return {row["rule"]: row["rows"] for row in engine.rows(by_rule)}


@pytest.fixture(scope="module")
def theirs(frame: Any) -> dict[str, int]:
    import great_expectations as gx

    import expectations.custom  # noqa: F401  (registers the expectations of our own)

    context = gx.get_context(mode="ephemeral")
    batch = context.data_sources.add_spark("s").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    loaded = batch.get_batch({"dataframe": frame})
    found = {}
    for rule in SUITE.rules:
        result = _validate(loaded, rule)
        found[rule.id] = int(result["result"]["unexpected_count"])
    return found


def _validate(batch: Any, rule: Rule) -> Any:
    from great_expectations.expectations.registry import get_expectation_impl

    result = batch.validate(get_expectation_impl(rule.type)(**rule.kwargs))
    assert not result["exception_info"].get("raised_exception"), result["exception_info"]
    return result


@pytest.mark.parametrize("rule", SUITE.rules, ids=lambda rule: f"{rule.type}-{rule.id}")
def test_one_pass_counts_what_gx_counts(rule: Rule, ours: dict[str, int], theirs: dict[str, int]) -> None:
    assert ours.get(rule.id, 0) == theirs[rule.id], unique_columns(rule) if "unique" in rule.type else rule.kwargs


def test_some_rules_fail_and_some_hold(theirs: dict[str, int]) -> None:
    assert any(theirs.values())
