"""Running a plan: one evaluation labels every row with the rules it breaks, one count gives everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from catalog.expressions.spark_sql import all_of, quoted
from expectations.plan.plan import Plan
from expectations.plan.rule_bitmask import bits, holds, is_quarantined, masks
from expectations.rules.aggregate_rules import AggregateResults, answer
from expectations.rules.aggregates import Measure, scale, spread
from expectations.rules.joins import ALONE, Tables
from expectations.rules.quantiles import exact_quantiles
from expectations.rules.query_rules import QueryContext
from expectations.rules.row_count_rules import judge_table
from expectations.typed_frame import HELPER
from expectations.verdict import Outcome
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Collect = Callable[["DataFrame"], list[Any]]
"""Fetches a small frame's rows; the engine's own, which tells errors without values."""


def label(frame: DataFrame, plan: Plan, *, keep: list[str]) -> DataFrame:
    """Columns `keep` of a marked frame, what questions need of it, and the masks of the rules that each row breaks."""
    frame, broken = _broken(frame, plan)
    words: dict[str, list[str]] = {mask: ["0L"] for mask in masks(plan)}
    for rule, (mask, bit) in bits(plan).items():
        words[mask].append(f"case when {broken[rule]} then {bit}L else 0L end")
    carried = [f"{sql} as {quoted(name)}" for name, sql in plan.carried.items()]
    made = [f"{' + '.join(parts)} as {mask}" for mask, parts in words.items()]
    return frame.selectExpr(*[quoted(name) for name in keep], *carried, *made)


def _broken(frame: DataFrame, plan: Plan) -> tuple[DataFrame, dict[str, str]]:
    """For each row rule the SQL that is true where a row breaks it; those without are asked of GX, in columns of their own."""
    found = {step.rule.id: step.sql for step in plan.row_steps if step.sql is not None}
    if others := tuple(step.rule for step in plan.row_steps if step.sql is None):
        from expectations.gx.fallback import row_predicates

        flags = {rule: f"{HELPER}gx{index}" for index, rule in enumerate(rule.id for rule in others)}
        broken = row_predicates(others, frame, plan.columns)
        frame = frame.select("*", *[broken[rule].alias(flag) for rule, flag in flags.items()])
        found |= flags
    return frame, found


@dataclass(frozen=True)
class Counted:
    """What one count of rows gave: how many, how many are set aside, how many break each rule, and what table rules asked."""

    rows: int
    aside: int
    failed: Mapping[str, int]
    answers: AggregateResults
    asked_of: Mapping[str, int] = field(default_factory=dict)
    """Rows that a rule with `mostly` was asked of."""
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """What the questions of table rules were answered."""

    @property
    def valid(self) -> int:
        """Rows that are not set aside."""
        return self.rows - self.aside


def count_labelled(labelled: DataFrame, plan: Plan, collect: Collect, tables: Tables = ALONE) -> Counted:
    """Count labelled rows; table rules are asked of those that pass, and held against `tables`."""
    failed = {rule: f"count(case when {holds(bit)} then 1 end)" for rule, bit in bits(plan).items()}
    return _count(labelled, plan, failed, collect, passing=f"not {is_quarantined(plan)}", tables=tables)


def count_rows(frame: DataFrame, plan: Plan, collect: Collect, tables: Tables = ALONE) -> Counted:
    """Count the rows of a marked frame of which none can be set aside, as those of a feature table, held against `tables`."""
    frame, broken = _broken(frame, plan)
    failed = {rule: f"count(case when {sql} then 1 end)" for rule, sql in broken.items()}
    return _count(frame, plan, failed, collect, passing="true", tables=tables)


def nothing_counted(plan: Plan) -> Counted:
    """What counting no rows gives, without asking an engine."""
    counts = {"rows", "present", "nan", "infinite", "distinct", "standing"}
    measures: dict[Measure, Any] = {
        item: 0 if item.function in counts else [] if item.function == "mode" else None
        for item in plan.measures
    }
    return Counted(
        0,
        0,
        {},
        AggregateResults(measures, {item: spread(0, 0.0, 1.0, (None, None)) for item in plan.spreads}),
    )


def _count(
    frame: DataFrame, plan: Plan, failed: dict[str, str], collect: Collect, *, passing: str, tables: Tables
) -> Counted:
    from pyspark.sql import functions as F  # noqa: N812

    measures = [item for item in plan.measures if item.function != "mode"]
    domains = {
        step.rule.id: f"count(case when {step.domain} then 1 end)" for step in plan.row_steps if step.domain
    }
    asked = ["count(1)", f"count(case when not {passing} then 1 end)", *failed.values(), *domains.values()]
    asked += [_passing(item, passing).sql() for item in measures]
    asked += [_passing(item, passing).reach_sql() for item in measures if item.ordered]
    (row,) = collect(frame.agg(*[F.expr(sql).alias(f"{HELPER}{number}") for number, sql in enumerate(asked)]))
    values = iter(row)
    rows, set_aside = int(next(values)), int(next(values))
    broken = {rule: int(next(values)) for rule in failed}
    asked_of = {rule: int(next(values)) for rule in domains}
    found: dict[Measure, Any] = {item: next(values) for item in measures}
    found |= exact_quantiles(
        frame,
        {item: next(values) for item in measures if item.ordered},
        partial(_passing, passing=passing),
        collect,
    )
    found |= {
        item: _modes(frame, item, passing, collect) for item in plan.measures if item.function == "mode"
    }
    answers = AggregateResults(found, _spreads(frame, plan, found, collect, passing))
    asking = QueryContext(frame, passing, tables, collect)
    numbers = {
        step.rule.id: step.question.ask(asking) for step in plan.steps if step.question is not None and rows
    }
    return Counted(rows, set_aside, broken, answers, asked_of, numbers)


def _passing(measure: Measure, passing: str) -> Measure:
    return replace(
        measure,
        where=all_of([part for part in (passing, measure.where) if part and part != "true"])
        if passing != "true"
        else measure.where,
    )


def _spreads(
    frame: DataFrame, plan: Plan, found: Mapping[Measure, Any], collect: Collect, passing: str
) -> dict[Measure, Any]:
    """The second pass: sums of every column whose mean or deviation is asked for, where all its numbers are finite."""
    from pyspark.sql import functions as F  # noqa: N812

    scales = {}
    for base in plan.spreads:
        low, high = (found[replace(base, function=name)] for name in ("min", "max"))
        odd = base.type == "double" and (
            found[replace(base, function="nan")] or found[replace(base, function="infinite")]
        )
        if not odd and low is not None:
            scales[base] = scale(low, high)
    nothing = {base: spread(0, 0.0, 1.0, (None, None)) for base in plan.spreads}
    if not scales:
        return nothing
    asked = [
        sql
        for base, (centre, unit) in scales.items()
        for sql in _passing(base, passing).spread_sql(centre, unit)
    ]
    (row,) = collect(frame.agg(*[F.expr(sql).alias(f"{HELPER}{number}") for number, sql in enumerate(asked)]))
    sums = iter(row)
    return nothing | {
        base: spread(int(found[replace(base, function="present")]), centre, unit, (next(sums), next(sums)))
        for base, (centre, unit) in scales.items()
    }


def _modes(frame: DataFrame, measure: Measure, passing: str, collect: Collect) -> list[Any]:
    """The values that stand most often in a column, at most a hundred of them."""
    from pyspark.sql import functions as F  # noqa: N812

    column, n = quoted(str(measure.column)), f"{HELPER}n"
    chosen = frame.where(
        F.expr(all_of([part for part in (passing, measure.where, f"{column} is not null") if part]))
    )
    # A time as a number: Python has none of other years, and which zone its own are in is another question.
    chosen = chosen.selectExpr(
        f"{measure.number if measure.type in ('date', 'timestamp') else column} as {column}"
    )
    counts = chosen.groupBy(column).agg(F.count(F.lit(1)).alias(n))
    (most,) = collect(counts.agg(F.max(n)))
    return (
        []
        if most[0] is None
        else [row[0] for row in collect(counts.where(F.col(n) == most[0]).orderBy(column).limit(100))]
    )


def outcomes(
    plan: Plan,
    counted: Counted,
    *,
    other_rows: Mapping[str, int] | None = None,
    distributions: Mapping[str, Outcome] | None = None,
    before: int | None = None,
) -> tuple[Outcome, ...]:
    """One outcome per rule, in the suite's order.

    Args:
        plan: Of the suite.
        counted: What its rows gave.
        other_rows: Rows of the other tables that rules name.
        distributions: What `expectations.plan.execute_distributions.judge_distributions` gave, where the plan has histograms.
        before: Rows of the previous version, for a table that takes its place.

    Raises:
        ContractError: A rule asks for histograms where none were taken.
    """
    from expectations.rules.schema_rules import judge_header

    found = []
    for step in plan.steps:
        rule = step.rule
        if rule.row_rule:
            found.append(
                Outcome(rule, counted.failed.get(rule.id, 0), counted.asked_of.get(rule.id, counted.rows))
            )
        elif step.way == "header":
            found.append(judge_header(rule, tuple(plan.columns), plan.columns) or Outcome(rule, 1, 1))
        elif step.way == "tally":
            found.append(
                judge_table(
                    rule, valid=counted.valid, quarantined=counted.aside, other_rows=other_rows, before=before
                )
            )
        elif step.way == "distribution":
            if distributions is None:
                what = f"{rule.type} is answered by histograms, and none were taken"
                raise ContractError(what, where=f"rule {rule.id}", fix="ask it at hop processed")
            found.append(distributions[rule.id])
        elif step.question is not None:
            found.append(step.question.judge(rule, counted.numbers.get(rule.id, ())))
        else:
            found.append(answer(rule, plan.columns, counted.answers))
    return tuple(found)
