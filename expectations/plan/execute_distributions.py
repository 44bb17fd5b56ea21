"""Judging the rules that histograms decide: drift, null rates, imbalance, group shares, outliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from expectations.drift.baseline_rules import BASELINE_TYPES, NO_PAST, Baseline, judge_against_baselines
from expectations.drift.histogram import Histogram, Histograms, Kind
from expectations.drift.histogram_query import count_histograms
from expectations.drift.histogram_rules import ALONE, EACH, NO_CLUSTERS, as_before, columns_of
from expectations.drift.precedent import Past
from expectations.plan.outlier_clusters import Cluster, count_clusters, judge_cluster
from expectations.suite import Rule
from expectations.typed_frame import Collect
from expectations.verdict import Outcome
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.plan.plan import Plan

Baselines = Callable[[Mapping[str, Kind]], Mapping[Baseline, Histograms]]
"""Histograms of earlier versions, of the columns that are requested."""


def ask_distributions(
    frame: DataFrame,
    plan: Plan,
    baselines: Baselines,
    collect: Collect,
    *,
    passing: str = "true",
    past: Past = NO_PAST,
) -> tuple[Histograms, dict[str, Outcome]]:
    """Count the histograms of a frame's passing rows, and judge the rules that they decide.

    Args:
        frame: Typed rows, or labelled ones.
        plan: Of a suite.
        baselines: Gives histograms of earlier versions.
        collect: Fetches a small frame's rows.
        passing: SQL for the rows that count.
        past: Earlier deliveries, for rules with a `history`.
    """
    seen = count_histograms(frame, plan.histograms, collect, passing=passing)
    clusters = count_clusters(frame, plan, seen, collect, passing=passing)
    return seen, judge_distributions(plan, seen, baselines(plan.histograms), clusters=clusters, past=past)


def judge_distributions(
    plan: Plan,
    seen: Histograms,
    baselines: Mapping[Baseline, Histograms],
    *,
    clusters: Mapping[str, Cluster] | None = None,
    past: Past = NO_PAST,
) -> dict[str, Outcome]:
    """The outcome of each rule that histograms decide, by its id.

    Args:
        plan: Of a suite.
        seen: The histograms of the rows that pass, one for each column of `plan.histograms`.
        baselines: Those of the versions to compare with, as far as they exist.
        clusters: The result of `expectations.plan.outlier_clusters.count_clusters`, where a rule needs it.
        past: Earlier deliveries, for rules with a `history`.

    Raises:
        ContractError: A rule needs clusters where none were counted.
    """
    rules = [step.rule for step in plan.steps if step.way == "distribution"]
    parts = {rule.id: _by_column(rule) for rule in rules}
    each = [part for rule in rules for part in parts[rule.id]]
    found = judge_against_baselines(
        (rule for rule in each if rule.type in BASELINE_TYPES), seen, baselines, past
    )
    for rule in each:
        if rule.type in ALONE:
            name = str(rule.kwargs["column"])
            outcome = ALONE[rule.type](rule, seen.columns.get(name) or Histogram(plan.histograms[name]))
            before = baselines.get(rule.kwargs["baseline"]) if "baseline" in rule.kwargs else None
            found[rule.id] = as_before(outcome, before.columns.get(name)) if before else outcome
        elif rule.type == NO_CLUSTERS:
            if clusters is None:
                what = f"{rule.type} is answered by groups of rows, and none were counted"
                raise ContractError(what, where=f"rule {rule.id}", fix="ask it at hop processed")
            found[rule.id] = judge_cluster(rule, clusters[rule.id])
    return {rule.id: _together(rule, [found[part.id] for part in parts[rule.id]]) for rule in rules}


def _by_column(rule: Rule) -> list[Rule]:
    """A rule for each column of a rule over several."""
    if rule.type not in EACH:
        return [rule]
    kwargs = {key: value for key, value in rule.kwargs.items() if key != "column_list"}
    return [
        replace(rule, id=f"{rule.id} of {name}", type=EACH[rule.type], kwargs=kwargs | {"column": name})
        for name in columns_of(rule)
    ]


def _together(rule: Rule, found: list[Outcome]) -> Outcome:
    """The outcome of a rule over several columns: how many break it, which, and what was observed of each."""
    if rule.type not in EACH:
        return found[0]
    effects = {item.rule.kwargs["column"]: item.observed["observed_value"] for item in found}
    known = [effect for effect in effects.values() if effect is not None]
    broken = [item for item in found if item.failed]
    words = [
        f"{len(broken)} of {len(known)} columns compared break it" if known else "no column was compared"
    ]
    words += [item.observed["told"] for item in (broken if known else found[:1])]
    observed: dict[str, Any] = {
        "observed_value": max(known, default=None),
        "columns": effects,
        "broken_by": [item.rule.kwargs["column"] for item in broken],
        "told": "; ".join(words),
    }
    return Outcome(rule, len(broken), len(found), observed)
