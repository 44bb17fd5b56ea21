"""Judging the rules that histograms answer: drift, null rates, imbalance, group shares, outliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from expectations.divergence import counted
from expectations.drift import BASELINE_TYPES, Baseline, judge_against_baselines
from expectations.histogram import Histogram, Histograms
from expectations.outliers import FACTORS, outlier_shares
from expectations.suite import Rule
from expectations.verdict import Outcome

if TYPE_CHECKING:
    from expectations.plan import Plan


def judge_distributions(plan: Plan, seen: Histograms, baselines: Mapping[Baseline, Histograms]) -> dict[str, Outcome]:
    """The outcome of each rule that histograms answer, by its id.

    Args:
        plan: Of a suite.
        seen: The histograms of the rows that pass, one for each column of `plan.histograms`.
        baselines: Those of the versions to compare with, as far as there are any.
    """
    rules = [step.rule for step in plan.steps if step.way == "distribution"]
    found = judge_against_baselines((rule for rule in rules if rule.type in BASELINE_TYPES), seen, baselines)
    for rule in rules:
        if rule.type in _ALONE:
            name = str(rule.kwargs["column"])
            found[rule.id] = _ALONE[rule.type](rule, seen.columns.get(name) or Histogram(plan.histograms[name]))
    return found


def _majority(rule: Rule, histogram: Histogram) -> Outcome:
    """A bin that holds several whole numbers may be no majority, so only those with one value count for sure."""
    bound, values = rule.kwargs["max_share"], counted(histogram)
    if histogram.too_many or not values:
        return Outcome(rule, 0, 1, {"observed_value": None, "told": f"{rule.kwargs['column']} has no value, or too many distinct ones"})
    single = [rows for code, rows in histogram.bins.items() if len({*histogram.span(code)}) == 1]
    share = max([*single, *histogram.classes.values()], default=0) / values
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
DISTRIBUTION_TYPES: Final = BASELINE_TYPES | _ALONE.keys()
"""The types that histograms answer."""
