"""The plan's SQL means what Great Expectations means: the same rows break the same rules, on Sail and on Spark.

GX itself is asked, on the same session and frame. Where the two differ on purpose, `DEPARTURES` says why and for which rows;
all others must agree.
"""

from __future__ import annotations

import itertools
import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import mistakes
from expectations.plan import execute
from expectations.plan.apply_joins import mark
from expectations.plan.plan import Plan, make_plan
from expectations.plan.rule_bitmask import bits
from expectations.suite import Rule, Suite
from expectations.verdict import Outcome
from lake.engine.engine import Engine
from tests.detection.test_plain import read_alike
from tests.support.planted.gate import Gate
from tests.support.planted.missing import clock_changes, everything
from tests.support.tables_of_rules import (
    CONTRACT,
    OF_A_COLUMN,
    OTHER,
    ROW_RULES,
    SQL_RULES,
    TABLE_RULES,
    TYPES,
    Kwargs,
    Row,
    arrow,
    nasty,
    suites,
    tables,
)

Kinds = list[tuple[str, Kwargs]]

OTHER_ROWS: Final = 5
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
NOT_ON_SAIL: Final = frozenset(
    {"expect_column_median_to_be_between", "expect_column_quantile_values_to_be_between"}
)
"""Sail has no `approxQuantile`, by which GX finds them."""
ASKED: Final = settings(
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # to shrink is to ask GX again, hundreds of times
    suppress_health_check=list(HealthCheck),
)


def _is_nan(kwargs: Kwargs, row: Row) -> bool:
    values = [row[kwargs[name]] for name in ("column", "column_A", "column_B") if name in kwargs]
    return any(isinstance(value, float) and math.isnan(value) for value in values)


def _is_odd(kwargs: Kwargs, row: Row) -> bool:
    return isinstance(row[kwargs["column"]], float) and not math.isfinite(row[kwargs["column"]])


def _ends_a_line(kwargs: Kwargs, row: Row) -> bool:
    patterns = kwargs.get("regex_list") or [kwargs["regex"]]
    return str(row[kwargs["column"]]).endswith("\n") and any(pattern.endswith("$") for pattern in patterns)


def _is_zero(kwargs: Kwargs, row: Row) -> bool:
    return any(
        isinstance(row[name], float) and row[name] == 0
        for name in kwargs.get("column_list") or [kwargs["column"]]
    )


def _past_floats(kwargs: Kwargs, _: Row) -> bool:
    bounds = [kwargs.get(name) for name in ("min_value", "max_value", "sum_total")]
    return any(isinstance(value, int) and abs(value) > 2**53 for value in bounds)


def _repeats(kwargs: Kwargs, _: Row) -> bool:
    return len(set(kwargs["value_set"])) < len(kwargs["value_set"])


def _is_time(kwargs: Kwargs, _: Row) -> bool:
    return TYPES[kwargs["column"]] in ("date", "timestamp")


def _is_great(kwargs: Kwargs, row: Row) -> bool:
    return isinstance(row[kwargs["column"]], int) and abs(row[kwargs["column"]]) > 2**52


DIVERGENCE: Final = "expect_column_kl_divergence_to_be_less_than"
"""GX can't find it over bins on Sail, so it is held against GX on pandas."""
_GREAT: Final = {"GX makes great whole numbers floats": _is_great}
_FLOATS: Final = {"GX makes a whole bound a float": _past_floats}
_NO_ORDER: Final = {"a column with NaN has no order": _is_nan}
_NO_SUM: Final = {"a column with NaN or infinite numbers has no sum": _is_odd}
_LINES: Final = {"a last line end is part of a text, to Java's $ it is not": _ends_a_line}
_ZEROS: Final = {"0.0 and -0.0 are one value, to Sail's windows and counts they are two": _is_zero}
_SETS: Final = {"GX counts a value of the set as often as it stands there": _repeats}

DEPARTURES: Final[dict[str, dict[str, Callable[[Kwargs, Row], bool]]]] = {
    "expect_column_values_to_be_between": {
        "NaN lies in no range, to Spark it is the greatest number": _is_nan,
        **_FLOATS,
    },
    "expect_column_pair_values_a_to_be_greater_than_b": {
        "NaN is not more than a number, to Spark it is": _is_nan
    },
    "expect_multicolumn_sum_to_equal": _FLOATS,
    "expect_column_values_to_match_regex": _LINES,
    "expect_column_values_to_not_match_regex": _LINES,
    "expect_column_values_to_match_regex_list": _LINES,
    "expect_column_values_to_not_match_regex_list": _LINES,
    "expect_column_values_to_be_unique": _ZEROS,
    "expect_compound_columns_to_be_unique": _ZEROS,
    "expect_column_unique_value_count_to_be_between": _ZEROS,
    "expect_column_proportion_of_unique_values_to_be_between": _ZEROS,
    "expect_column_min_to_be_between": _NO_ORDER | _FLOATS,
    "expect_column_max_to_be_between": _NO_ORDER | _FLOATS,
    "expect_column_median_to_be_between": _NO_ORDER | _FLOATS | _GREAT,
    "expect_column_quantile_values_to_be_between": _NO_ORDER,
    "expect_column_sum_to_be_between": _NO_SUM,
    "expect_column_mean_to_be_between": _NO_SUM | _GREAT,
    "expect_column_stdev_to_be_between": _NO_SUM | _GREAT,
    "expect_column_most_common_value_to_be_in_set": {"GX compares times with the texts of the set": _is_time},
    "expect_column_distinct_values_to_contain_set": _SETS,
    "expect_column_distinct_values_to_equal_set": _SETS,
    "expect_column_to_exist": {
        "GX takes index 0 for no index": lambda kwargs, _: kwargs.get("column_index") == 0
    },
}
"""Per type and reason: whether the two may differ about this row or, for a table rule, because of it. All else must agree."""


def may_differ(rule: Rule, row: Row) -> bool:
    return any(departs(rule.kwargs, row) for departs in DEPARTURES.get(rule.type, {}).values())


def plan_of(kinds: Kinds) -> Plan:
    rules = tuple(
        Rule(f"rule{n:02}", kind, kwargs, "warn", "range", EXPECTATIONS[kind].row_rule)
        for n, (kind, kwargs) in enumerate(kinds)
    )
    assert [
        told for rule in rules for told in mistakes(CONTRACT, "features", rule.type, rule.kwargs, "warn")
    ] == []
    return make_plan(Suite("mixed", "features", rules), CONTRACT)


@dataclass(frozen=True)
class Lakegate:
    """The plan on one engine."""

    engine: Engine
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def frame(self, rows: list[Row]) -> Any:
        path = self.folder / f"{next(self.numbers)}.parquet"
        pq.write_table(arrow(rows), path)
        return self.engine.spark.read.parquet(str(path))

    def ask(self, frame: Any, plan: Plan) -> dict[str, tuple[Outcome, set[int]]]:
        """Each rule's outcome, and the rows that break it."""
        labelled = execute.label(
            mark(frame, plan, published=None, reference=lambda _: frame), plan, keep=[*plan.columns, "_row"]
        )
        outcomes = execute.outcomes(
            plan, execute.count_labelled(labelled, plan, self.engine.rows), other_rows={OTHER: OTHER_ROWS}
        )
        masks = self.engine.rows(labelled.drop(*plan.columns))
        broken = {
            rule: {row["_row"] for row in masks if row[mask] & bit}
            for rule, (mask, bit) in bits(plan).items()
        }
        return {outcome.rule.id: (outcome, broken.get(outcome.rule.id, set())) for outcome in outcomes}


class Gx:
    """Great Expectations on an engine's frames, and on SQLite for rules that it has for SQL only."""

    def __init__(self, folder: Path) -> None:
        import great_expectations
        from sqlalchemy import event

        context = great_expectations.get_context(mode="ephemeral")
        frames = context.data_sources.add_spark("frames", persist=False).add_dataframe_asset("frames")
        self.frames = frames.add_batch_definition_whole_dataframe("whole")
        self.database = sqlite3.connect(folder / "rows.sqlite")
        with self.database:
            self.database.execute("create table asked (_row integer, name text, other text)")
            self.database.execute(f"create table {OTHER} (_row integer)")
            self.database.executemany(
                f"insert into {OTHER} values (?)", [(row,) for row in range(OTHER_ROWS)]
            )
        source = context.data_sources.add_sqlite(
            "rows", connection_string=f"sqlite:///{folder / 'rows.sqlite'}"
        )
        asset = source.add_table_asset("asked", table_name="asked")
        self.table = asset.add_batch_definition_whole_table("whole")
        pool = source.get_execution_engine().engine
        event.listen(
            pool, "connect", lambda connection, _: connection.execute("pragma case_sensitive_like = on")
        )
        pool.dispose()

    def ask(self, frame: Any, rows: list[Row], rules: list[Rule]) -> dict[str, Any]:
        """GX's result for each rule, by id."""
        with self.database:
            self.database.execute("delete from asked")
            lines = [(number, row["name"], row["other"]) for number, row in enumerate(rows, 1)]
            self.database.executemany("insert into asked values (?, ?, ?)", lines)
        spark_rules = [rule for rule in rules if rule.type not in SQL_RULES]
        found = self.validate(self.table.get_batch(), [rule for rule in rules if rule.type in SQL_RULES])
        found |= self.validate(
            self.frames.get_batch({"dataframe": frame}), [rule for rule in spark_rules if rule.row_rule]
        )
        only = self.frames.get_batch({"dataframe": frame.select(*TYPES)})
        return found | self.validate(only, [rule for rule in spark_rules if not rule.row_rule])

    def validate(self, batch: Any, rules: list[Rule]) -> dict[str, Any]:
        from great_expectations import ExpectationSuite
        from great_expectations.expectations.registry import get_expectation_impl

        expectations = [
            get_expectation_impl(rule.type)(**rule.kwargs, meta={"rule": rule.id}) for rule in rules
        ]
        wanted = {"result_format": "COMPLETE", "unexpected_index_column_names": ["_row"]}
        results = batch.validate(
            ExpectationSuite(name="asked", expectations=expectations), result_format=wanted
        )["results"]
        for result in results:
            told = result["exception_info"]
            assert not any(
                item["raised_exception"] for item in ([told] if "raised_exception" in told else told.values())
            ), result
        return {result["expectation_config"]["meta"]["rule"]: result for result in results}


def disagreements(lakegate: Lakegate, gx: Gx, rows: list[Row], kinds: Kinds) -> list[Any]:
    """Where the plan and GX differ, rule by rule."""
    plan, frame = plan_of(kinds), lakegate.frame(rows)
    assert [step.rule.type for step in plan.steps if step.way == "gx"] == []
    ours = lakegate.ask(frame, plan)
    skipped = NOT_ON_SAIL if lakegate.engine.name == "sail" else frozenset()
    theirs = gx.ask(frame, rows, [rule for rule in plan.suite.rules if rule.type not in skipped])
    compared = [(ours[rule], result) for rule, result in theirs.items()]
    told = [
        row_difference(*own, result, rows) if own[0].rule.row_rule else table_difference(own[0], result, rows)
        for own, result in compared
    ]
    return [
        (own[0].rule.type, own[0].rule.kwargs, what)
        for (own, _), what in zip(compared, told, strict=True)
        if what
    ]


def row_difference(outcome: Outcome, broken: set[int], result: Any, rows: list[Row]) -> Any:
    rule, listed = (
        outcome.rule,
        [item["_row"] for item in result["result"].get("unexpected_index_list") or []],
    )
    count = result["result"].get("unexpected_count") or 0
    assert len(listed) == len({*listed}) <= count, (rule, result)
    assert len(broken) == outcome.failed, rule
    if len(listed) < count:  # from SQL it lists twenty
        assert rule.type in SQL_RULES, rule
        return (len(broken) != count or not {*listed} <= broken) and {"ours": broken, "GX's": (count, listed)}
    if differ := [number for number in sorted(broken ^ {*listed}) if not may_differ(rule, rows[number - 1])]:
        return {("ours" if number in broken else "GX's", number): rows[number - 1] for number in differ}
    return broken == {*listed} and outcome.success != result["success"] and {"success": outcome.success}


def table_difference(outcome: Outcome, result: Any, rows: list[Row]) -> Any:
    rule, ours, seen, found = (
        outcome.rule,
        outcome.observed.get("observed_value"),
        result["result"].get("observed_value"),
        result["result"],
    )
    values = [row[rule.kwargs["column"]] for row in rows] if "column" in rule.kwargs else []
    if any(may_differ(rule, row) for row in rows or [dict.fromkeys(TYPES)]):
        return None
    # Sums are exact to half a unit a row in Lakegate, and to the last bit of each step in GX; both grow with the values.
    summed = any(f"_{word}_to_" in rule.type for word in ("sum", "mean", "stdev"))
    most = max((abs(value) for value in values if isinstance(value, int | float)), default=0)
    same = Same(1e-6 if "stdev" in rule.type else 1e-9, len(values) * most * 2.0**-48 if summed else 0.0)
    agreed = outcome.success == result["success"] or (
        summed and any(same(ours, rule.kwargs.get(end)) for end in ("min_value", "max_value"))
    )
    if "distinct_values" in rule.type:
        counted = (bool(found.get("unexpected_count")), found.get("missing_count", 0))
        agreed = agreed and counted == (bool(ours["rows_outside"]), ours["values_missing"])
    elif ours is not None or seen is None:
        agreed = agreed and same(ours, seen)
    return not agreed and {
        "ours": (outcome.success, ours),
        "GX's": (result["success"], seen),
        "values": values,
    }


@dataclass(frozen=True)
class Same:
    """Whether what was seen is the same: numbers nearly, times whatever they are written as, most common values in any order."""

    relative: float
    absolute: float

    def __call__(self, ours: Any, theirs: Any) -> bool:
        if isinstance(theirs, dict):
            return (
                ours == theirs["self"]
                if "self" in theirs
                else all(map(self, ours["values"], theirs["values"]))
            )
        if isinstance(ours, list):
            return sorted(map(str, ours)) == sorted(map(str, theirs))
        if isinstance(theirs, datetime):
            return bool(ours == theirs.replace(tzinfo=UTC).isoformat())
        if isinstance(theirs, date):
            return bool(ours == theirs.isoformat())
        if isinstance(ours, str) or ours is None or theirs is None:
            return bool(ours == theirs)
        return math.isclose(ours, theirs, rel_tol=self.relative, abs_tol=self.absolute)


@pytest.fixture(scope="module", autouse=True)
def _in_utc() -> Iterator[None]:
    """pyspark hands out times in the process's zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="module")
def sail(sail_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Lakegate:
    return Lakegate(sail_engine, tmp_path_factory.mktemp("sail"))


@pytest.fixture(scope="module")
def spark(spark_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Lakegate:
    return Lakegate(spark_engine, tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="module")
def gx(tmp_path_factory: pytest.TempPathFactory) -> Gx:
    return Gx(tmp_path_factory.mktemp("gx"))


@settings(ASKED, max_examples=12)
@given(rows=tables(0, 1, 5, 12, 25, 25), kinds=SUITES)
def test_on_sail_the_plan_finds_what_gx_finds(rows: list[Row], kinds: Kinds, sail: Lakegate, gx: Gx) -> None:
    assert disagreements(sail, gx, rows, kinds) == []


@pytest.mark.spark
@settings(
    ASKED, max_examples=int(os.environ.get("LAKEGATE_SPARK_EXAMPLES", "1"))
)  # GX asks a query for each of its rules
@given(rows=tables(40, 30, 0), kinds=SUITES)
def test_on_spark_the_plan_finds_what_gx_finds(
    rows: list[Row], kinds: Kinds, spark: Lakegate, gx: Gx
) -> None:
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
def test_a_huge_number_beside_an_odd_one_fails_the_rule_and_does_not_stop_the_gate(
    odd: float, sail: Lakegate
) -> None:
    rows = [dict.fromkeys(TYPES) | {"real": value} for value in (1e300, odd)]
    plan = plan_of([("expect_column_mean_to_be_between", {"column": "real", "min_value": 0})])
    ((outcome, _),) = sail.ask(sail.frame(rows), plan).values()
    assert not outcome.success


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
def test_what_the_plan_leaves_to_gx_is_gxs_own_answer(
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
    {"column": "first", "partition_object": {"values": [0, 1, 5], "weights": [0.5, 0.25, 0.25]}, "tail_weight_holdout": 0.1},
    {"column": "real", "partition_object": {"bins": [0, 1, 2.5, 4], "weights": [0.5, 0.25, 0.25]}, "tail_weight_holdout": 0.2},
    {"column": "real", "partition_object": {"bins": [0, 1, 2.5, 4], "weights": [0.5, 0, 0.5]}, "tail_weight_holdout": 0.2, "internal_weight_holdout": 0.1},
    {"column": "real", "partition_object": {"bins": [1, 2, 4], "weights": [0.5, 0.25], "tail_weights": [0.125, 0.125]}},
    {"column": "real", "partition_object": {"bins": [-math.inf, 0.5, 2, math.inf], "weights": [0.5, 0.25, 0.25]}},
    {"column": "real", "partition_object": {"bins": [-math.inf, 0.5, 2], "weights": [0.5, 0.5]}, "tail_weight_holdout": 0.1},
    {"column": "first", "partition_object": {"bins": [0, 2, 9], "weights": [0.5, 0.5]}},
]  # fmt: skip


@pytest.mark.parametrize("kwargs", PARTITIONS)
def test_a_divergence_is_that_of_gx_on_pandas(kwargs: Kwargs, sail: Lakegate) -> None:
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
    """One dirty table, with NULL, NaN and -0.0, one published table, and every rule that GX has no word for."""
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
