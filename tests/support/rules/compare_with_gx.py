"""Ask the plan and Great Expectations about one table, and tell where they disagree."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, settings

from catalog.rules.expectation_types import EXPECTATIONS
from catalog.rules.rule_checks import mistakes
from expectations.plan import execute
from expectations.plan.apply_joins import mark
from expectations.plan.plan import Plan, make_plan
from expectations.plan.rule_bitmask import bits
from expectations.suite import Rule, Suite
from expectations.verdict import Outcome
from lake.engine.engine import Engine
from tests.support.rules.gx_departures import Kinds, may_differ
from tests.support.rules.nasty_tables import CONTRACT, OTHER, TYPES, Row, arrow
from tests.support.rules.tables_of_rules import SQL_RULES

OTHER_ROWS: Final = 5

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
    # Sums are exact to half a unit a row in Lakegate, and to the last bit of each step in GX;
    # both grow with the values.
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
    """Whether what was seen is the same: numbers nearly, times whatever they are written as,
    most common values in any order.
    """

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
