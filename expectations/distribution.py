"""Judging the rules that histograms answer: drift, null rates, imbalance, group shares, outliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from expectations.binning import count_histograms
from expectations.clusters import NO_CLUSTERS, Cluster, count_clusters, judge_cluster
from expectations.divergence import counted
from expectations.drift import BASELINE_TYPES, STAY_CLOSE, Baseline, judge_against_baselines
from expectations.histogram import Histogram, Histograms, Kind
from expectations.outliers import FACTORS, outlier_shares
from expectations.suite import Rule
from expectations.verdict import Outcome
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.plan import Plan

Baselines = Callable[[Mapping[str, Kind]], Mapping[Baseline, Histograms]]
"""Histograms of earlier versions, of the columns that are asked for."""


def ask_distributions(
    frame: DataFrame, plan: Plan, baselines: Baselines, collect: Callable[[DataFrame], list[Any]], *, passing: str = "true"
) -> tuple[Histograms, dict[str, Outcome]]:
    """The histograms of a frame's passing rows, and the outcomes of the rules that they answer."""
    seen = count_histograms(frame, plan.histograms, collect, passing=passing)
    clusters = count_clusters(frame, plan, seen, collect, passing=passing)
    return seen, judge_distributions(plan, seen, baselines(plan.histograms), clusters=clusters)


def judge_distributions(
    plan: Plan, seen: Histograms, baselines: Mapping[Baseline, Histograms], *, clusters: Mapping[str, Cluster] | None = None
) -> dict[str, Outcome]:
    """The outcome of each rule that histograms answer, by its id.

    Args:
        plan: Of a suite.
        seen: The histograms of the rows that pass, one for each column of `plan.histograms`.
        baselines: Those of the versions to compare with, as far as there are any.
        clusters: What `expectations.clusters.count_clusters` gave, where a rule asks for it.

    Raises:
        ContractError: A rule asks for clusters where none were counted.
    """
    rules = [step.rule for step in plan.steps if step.way == "distribution"]
    parts = {rule.id: _by_column(rule) for rule in rules}
    each = [part for rule in rules for part in parts[rule.id]]
    found = judge_against_baselines((rule for rule in each if rule.type in BASELINE_TYPES), seen, baselines)
    for rule in each:
        if rule.type in _ALONE:
            name = str(rule.kwargs["column"])
            found[rule.id] = _ALONE[rule.type](rule, seen.columns.get(name) or Histogram(plan.histograms[name]))
        elif rule.type == NO_CLUSTERS:
            if clusters is None:
                what = f"{rule.type} is answered by groups of rows, and none were counted"
                raise ContractError(what, where=f"rule {rule.id}", fix="ask it at hop processed")
            found[rule.id] = judge_cluster(rule, clusters[rule.id])
    return {rule.id: _together(rule, [found[part.id] for part in parts[rule.id]]) for rule in rules}


def columns_of(rule: Rule) -> list[str]:
    """The columns that a rule asks histograms of."""
    return list(rule.kwargs["column_list"]) if "column_list" in rule.kwargs else [rule.kwargs["column"]]


def _by_column(rule: Rule) -> list[Rule]:
    """A rule for each column of a rule over several."""
    if rule.type not in _EACH:
        return [rule]
    kwargs = {key: value for key, value in rule.kwargs.items() if key != "column_list"}
    return [replace(rule, id=f"{rule.id} of {name}", type=_EACH[rule.type], kwargs=kwargs | {"column": name}) for name in columns_of(rule)]


def _together(rule: Rule, found: list[Outcome]) -> Outcome:
    """The outcome of a rule over several columns: how many break it, what was seen of each, and which they are."""
    if rule.type not in _EACH:
        return found[0]
    effects = {str(item.rule.kwargs["column"]): item.observed["observed_value"] for item in found}
    known = {name: effect for name, effect in effects.items() if effect is not None}
    broken = [item for item in found if item.failed]
    told = [f"{len(broken)} of {len(known)} columns compared break it" if known else "no column was compared"]
    told += [item.observed["told"] for item in (broken if known else found[:1])]
    observed = {"observed_value": max(known.values(), default=None), "columns": effects, "broken_by": _names(broken)}
    return Outcome(rule, len(broken), len(found), observed | {"told": "; ".join(told)})


def _names(found: list[Outcome]) -> list[str]:
    return [str(item.rule.kwargs["column"]) for item in found]


def majority_share(histogram: Histogram) -> float | None:
    """The share of the value that most of the rows with a value hold; None where there is none, or classes are not counted.

    A bin that holds several whole numbers may be no majority, so only those with one value count for sure.
    """
    values = counted(histogram)
    if histogram.too_many or not values:
        return None
    single = [rows for code, rows in histogram.bins.items() if len({*histogram.span(code)}) == 1]
    return max([*single, *histogram.classes.values()], default=0) / values


def _majority(rule: Rule, histogram: Histogram) -> Outcome:
    bound, values, share = rule.kwargs["max_share"], counted(histogram), majority_share(histogram)
    if share is None:
        return Outcome(rule, 0, 1, {"observed_value": None, "told": f"{rule.kwargs['column']} has no value, or too many distinct ones"})
    distinct = len(histogram.bins) + len(histogram.classes)
    told = f"one value of {rule.kwargs['column']} holds {share:.2%} of {values} rows, at most {bound:.2%}"
    return Outcome(rule, int(share > bound), 1, {"observed_value": share, "rows": values, "classes": distinct, "told": told})


def _group_shares(rule: Rule, histogram: Histogram) -> Outcome:
    """Classes that the reference doesn't name are one more, with what its shares leave."""
    values, stated, bound = counted(histogram), rule.kwargs["shares"], rule.kwargs["max_difference"]
    if histogram.too_many or not values:
        return Outcome(rule, 0, 1, {"observed_value": None, "told": f"{rule.kwargs['column']} has no value, or too many distinct ones"})
    named = [abs(histogram.classes.get(name, 0) / values - share) for name, share in stated.items()]
    others = values - sum(histogram.classes.get(name, 0) for name in stated)
    rest = abs(others / values - max(0.0, 1 - sum(stated.values())))
    away = sum(difference > bound for difference in [*named, rest])
    most = max([*named, rest])
    told = (
        f"{away} of {len(named) + 1} shares of {rule.kwargs['column']} are further than {bound:.2%} from the reference, {most:.2%} at most"
    )
    observed = {"observed_value": most, "shares_away": away, "others_share": others / values, "rows": values, "told": told}
    return Outcome(rule, int(away > 0), 1, observed)


def _outliers(rule: Rule, histogram: Histogram) -> Outcome:
    method, bound = rule.kwargs["method"], rule.kwargs["max_share"]
    low, high = outlier_shares(histogram, method, rule.kwargs.get("factor", FACTORS[method]))
    told = f"{low:.2%} of {rule.kwargs['column']} are outliers (the bins leave it open up to {high:.2%}), at most {bound:.2%}"
    observed = {"observed_value": low, "least": low, "greatest": high, "rows": counted(histogram), "told": told}
    return Outcome(rule, int(low > bound), 1, observed)


_ALONE: Final[dict[str, Callable[[Rule, Histogram], Outcome]]] = {
    "expect_column_majority_share_to_be_at_most": _majority,
    "expect_column_group_shares_to_be_close_to": _group_shares,
    "expect_column_outlier_share_to_be_at_most": _outliers,
}
STAY_CLOSE_EACH: Final = "expect_column_distributions_to_stay_close"
MAJORITY_EACH: Final = "expect_column_majority_shares_to_be_at_most"
_EACH: Final = {STAY_CLOSE_EACH: STAY_CLOSE, MAJORITY_EACH: "expect_column_majority_share_to_be_at_most"}
"""Types over several columns, and the type that each column is asked by."""
DISTRIBUTION_TYPES: Final = BASELINE_TYPES | _ALONE.keys() | _EACH.keys() | {NO_CLUSTERS}
"""The types that histograms answer."""
