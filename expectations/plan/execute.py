"""Running a plan: one evaluation labels every row with the rules it breaks, one count does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from catalog.expressions.spark_sql import all_of, quoted
from expectations.plan.plan import Plan
from expectations.plan.rule_bitmask import bits, holds, is_quarantined, masks
from expectations.rules.aggregate_rules import judge_aggregates
from expectations.rules.aggregates import AggregateResults, Measure, Spread, scale, spread
from expectations.rules.joins import ALONE, COUNT, Tables, counted_by
from expectations.rules.quantiles import exact_quantiles
from expectations.rules.queries.query_rules import QueryContext, aggregate
from expectations.rules.row_count_rules import judge_table
from expectations.rules.schema_rules import judge_header
from expectations.typed_frame import HELPER, Collect
from expectations.verdict import Outcome
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NO_SPREAD = Spread(0, 0.0, 0.0)


def label(frame: DataFrame, plan: Plan, *, keep: list[str]) -> DataFrame:
    """Columns `keep` of a joined frame, helper columns of queries, and masks of broken rules."""
    frame, broken = _broken(frame, plan)
    words: dict[str, list[str]] = {mask: ["0L"] for mask in masks(plan)}
    for rule, (mask, bit) in bits(plan).items():
        words[mask].append(f"case when {broken[rule]} then {bit}L else 0L end")
    helpers = [f"{sql} as {quoted(name)}" for name, sql in plan.helpers.items()]
    made = [f"{' + '.join(parts)} as {mask}" for mask, parts in words.items()]
    return frame.selectExpr(*[quoted(name) for name in keep], *helpers, *made)


def _broken(frame: DataFrame, plan: Plan) -> tuple[DataFrame, dict[str, str]]:
    """For each row rule the SQL that is true where a row breaks it; others get a column from GX."""
    found = {step.rule.id: step.sql for step in plan.row_steps if step.sql is not None}
    if others := tuple(step.rule for step in plan.row_steps if step.sql is None):
        from expectations.gx.fallback import row_predicates

        flags = {rule.id: f"{HELPER}gx{index}" for index, rule in enumerate(others)}
        broken = row_predicates(others, frame, plan.columns)
        frame = frame.select("*", *[broken[rule].alias(flag) for rule, flag in flags.items()])
        found |= flags
    return frame, found


@dataclass(frozen=True)
class Counted:
    """The result of one count: rows, quarantined rows, rows that break each rule, results of table rules."""

    rows: int
    quarantined: int
    failed: Mapping[str, int]
    results: AggregateResults
    judged: Mapping[str, int] = field(default_factory=dict)
    """Rows that a rule with `mostly` judges."""
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Results of the queries of table rules."""

    @property
    def valid(self) -> int:
        """Rows that are not quarantined."""
        return self.rows - self.quarantined


def count_labelled(labelled: DataFrame, plan: Plan, collect: Collect, tables: Tables = ALONE) -> Counted:
    """Count labelled rows; table rules judge those that pass, and compare them with `tables`."""
    failed = {rule: f"count(case when {holds(bit)} then 1 end)" for rule, bit in bits(plan).items()}
    return _count(labelled, plan, failed, collect, passing=f"not {is_quarantined(plan)}", tables=tables)


def count_rows(frame: DataFrame, plan: Plan, collect: Collect, tables: Tables = ALONE) -> Counted:
    """Count the rows of a joined frame of which none can be quarantined, as those of a feature table."""
    frame, broken = _broken(frame, plan)
    failed = {rule: f"count(case when {sql} then 1 end)" for rule, sql in broken.items()}
    return _count(frame, plan, failed, collect, passing="true", tables=tables)


def nothing_counted(plan: Plan) -> Counted:
    """The result of counting no rows, without an engine."""
    counts = {"rows", "present", "nan", "infinite", "distinct", "matching"}
    measures: dict[Measure, Any] = {
        item: 0 if item.function in counts else [] if item.function == "mode" else None
        for item in plan.measures
    }
    return Counted(0, 0, {}, AggregateResults(measures, dict.fromkeys(plan.spreads, _NO_SPREAD)))


def _count(
    frame: DataFrame, plan: Plan, failed: dict[str, str], collect: Collect, *, passing: str, tables: Tables
) -> Counted:
    chosen = partial(_passing, passing=passing)
    measures = [item for item in plan.measures if item.function != "mode"]
    ordered = [item for item in measures if item.ordered]
    domains = {step.rule.id: step.domain for step in plan.row_steps if step.domain}
    aggregates = ["count(1)", f"count(case when not {passing} then 1 end)", *failed.values()]
    aggregates += [f"count(case when {domain} then 1 end)" for domain in domains.values()]
    aggregates += [chosen(item).sql() for item in measures]
    aggregates += [chosen(item).reach_sql() for item in ordered]
    values = iter(aggregate(frame, aggregates, collect))
    rows, quarantined = int(next(values)), int(next(values))
    broken = {rule: int(next(values)) for rule in failed}
    judged = {rule: int(next(values)) for rule in domains}
    found: dict[Measure, Any] = {item: next(values) for item in measures}
    found |= exact_quantiles(frame, {item: next(values) for item in ordered}, chosen, collect)
    for item in plan.measures:
        if item.function == "mode":
            found[item] = _modes(frame, item, passing, collect)
    results = AggregateResults(found, _spreads(frame, plan, found, collect, passing))
    context = QueryContext(frame, passing, tables, collect)
    numbers = {rule: query.query(context) for rule, query in plan.queries.items()} if rows else {}
    return Counted(rows, quarantined, broken, results, judged, numbers)


def _passing(measure: Measure, *, passing: str) -> Measure:
    """The measure of the rows that pass."""
    if passing == "true":
        return measure
    return replace(
        measure, where=all_of([part for part in (passing, measure.where) if part and part != "true"])
    )


def _spreads(
    frame: DataFrame, plan: Plan, found: Mapping[Measure, Any], collect: Collect, passing: str
) -> dict[Measure, Spread]:
    """The second pass: sums of every column that needs them, if it has numbers and all are finite."""
    scales = {}
    for base in plan.spreads:
        low, high = (found[item] for item in base.each("min", "max"))
        odd = base.each(*base.odd(("nan", "infinite")))
        if low is not None and not any(found[item] for item in odd):
            scales[base] = scale(low, high)
    spreads = dict.fromkeys(plan.spreads, _NO_SPREAD)
    if not scales:
        return spreads
    pairs = [_passing(base, passing=passing).spread_sql(*scales[base]) for base in scales]
    sums = iter(aggregate(frame, [sql for pair in pairs for sql in pair], collect))
    for base, (centre, unit) in scales.items():
        count = int(found[base.to("present")])
        spreads[base] = spread(count, centre, unit, (next(sums), next(sums)))
    return spreads


def _modes(frame: DataFrame, measure: Measure, passing: str, collect: Collect) -> list[Any]:
    """The most common values of a column, at most a hundred of them."""
    column = quoted(str(measure.column))
    parts = [part for part in (passing, measure.where, f"{column} is not null") if part]
    # A time as a number: Python lacks some years, and the time zone of its values is another question.
    value = measure.number if measure.type in ("date", "timestamp") else column
    counts = counted_by(frame.where(all_of(parts)).selectExpr(f"{value} as {column}"), [column])
    (most,) = aggregate(counts, [f"max({COUNT})"], collect)
    if most is None:
        return []
    common = counts.where(f"{COUNT} = {most}").orderBy(column).limit(100)
    return [row[0] for row in collect(common)]


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
        counted: The result of counting its rows.
        other_rows: Rows of the other tables that rules name.
        distributions: Outcomes of `expectations.plan.execute_distributions.judge_distributions`, where the
            plan has histograms.
        before: Rows of the previous version, for a table that takes its place.

    Raises:
        ContractError: A rule needs histograms where none were counted.
    """
    found = []
    for step in plan.steps:
        rule = step.rule
        if rule.row_rule:
            of = counted.judged.get(rule.id, counted.rows)
            found.append(Outcome(rule, counted.failed.get(rule.id, 0), of))
        elif step.way == "header":
            found.append(judge_header(rule, tuple(plan.columns), plan.columns) or Outcome(rule, 1, 1))
        elif step.way == "tally":
            valid, quarantined = counted.valid, counted.quarantined
            found.append(
                judge_table(rule, valid=valid, quarantined=quarantined, other_rows=other_rows, before=before)
            )
        elif step.way == "distribution":
            if distributions is None:
                what = f"{rule.type} is answered by histograms, and none were taken"
                raise ContractError(what, where=f"rule {rule.id}", fix="ask it at hop processed")
            found.append(distributions[rule.id])
        elif step.query is not None:
            found.append(step.query.judge(rule, counted.numbers.get(rule.id, ())))
        else:
            found.append(judge_aggregates(rule, plan.columns, counted.results))
    return tuple(found)
