"""The types that histograms decide, and the rules on one histogram: imbalance, group shares, outliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from expectations.drift.baseline_rules import BASELINE_TYPES, NULL_SHARE, STAY_CLOSE
from expectations.drift.histogram import Histogram
from expectations.drift.outliers import FACTORS, outlier_shares
from expectations.drift.statistics import counted
from expectations.suite import Rule
from expectations.verdict import Outcome, table_outcome


def columns_of(rule: Rule) -> list[str]:
    """The columns that a rule names."""
    return list(rule.kwargs["column_list"]) if "column_list" in rule.kwargs else [rule.kwargs["column"]]


def majority_share(histogram: Histogram) -> float | None:
    """The share of the most common value among the rows with a value; None without values or classes.

    The most common value of a bin with several whole numbers is unknown, so only bins of one value count.
    """
    values = counted(histogram)
    if histogram.too_many or not values:
        return None
    single = [rows for code, rows in histogram.bins.items() if len({*histogram.span(code)}) == 1]
    return max([*single, *histogram.classes.values()], default=0) / values


def _majority(rule: Rule, histogram: Histogram) -> Outcome:
    bound, values, share = rule.kwargs["max_share"], counted(histogram), majority_share(histogram)
    if share is None:
        return _no_classes(rule)
    words = f"one value of {rule.kwargs['column']} holds {share:.2%} of {values} rows, at most {bound:.2%}"
    distinct = len(histogram.bins) + len(histogram.classes)
    seen = {"observed_value": share, "rows": values, "classes": distinct}
    return table_outcome(rule, broken=share > bound, words=words, **seen)


def _no_classes(rule: Rule) -> Outcome:
    words = f"{rule.kwargs['column']} has no value, or too many distinct ones"
    return table_outcome(rule, broken=False, words=words, observed_value=None)


def as_before(outcome: Outcome, base: Histogram | None) -> Outcome:
    """The outcome on a majority; one that the baseline had too great already doesn't break the rule again."""
    share = majority_share(base) if base else None
    if not outcome.failed or share is None or share <= outcome.rule.kwargs["max_share"]:
        return outcome
    words = f"{outcome.observed['told']}, and one did before ({share:.2%})"
    return replace(outcome, failed=0, observed=outcome.observed | {"told": words})


def _group_shares(rule: Rule, histogram: Histogram) -> Outcome:
    """Classes that the reference doesn't name are one more, with what its shares leave."""
    values, stated, bound = counted(histogram), rule.kwargs["shares"], rule.kwargs["max_difference"]
    if histogram.too_many or not values:
        return _no_classes(rule)
    named = {name: histogram.classes.get(name, 0) for name in stated}
    others = (values - sum(named.values())) / values
    differences = [abs(named[name] / values - share) for name, share in stated.items()]
    differences.append(abs(others - max(0.0, 1 - sum(stated.values()))))
    away, most = sum(item > bound for item in differences), max(differences)
    words = (
        f"{away} of {len(differences)} shares of {rule.kwargs['column']} are further than {bound:.2%} "
        f"from the reference, {most:.2%} at most"
    )
    seen = {"observed_value": most, "shares_away": away, "others_share": others, "rows": values}
    return table_outcome(rule, broken=away > 0, words=words, **seen)


def _outliers(rule: Rule, histogram: Histogram) -> Outcome:
    method, bound = rule.kwargs["method"], rule.kwargs["max_share"]
    low, high = outlier_shares(histogram, method, rule.kwargs.get("factor", FACTORS[method]))
    words = (
        f"{low:.2%} of {rule.kwargs['column']} are outliers "
        f"(the bins leave it open up to {high:.2%}), at most {bound:.2%}"
    )
    seen = {"observed_value": low, "least": low, "greatest": high, "rows": counted(histogram)}
    return table_outcome(rule, broken=low > bound, words=words, **seen)


ALONE: Final[dict[str, Callable[[Rule, Histogram], Outcome]]] = {
    "expect_column_majority_share_to_be_at_most": _majority,
    "expect_column_group_shares_to_be_close_to": _group_shares,
    "expect_column_outlier_share_to_be_at_most": _outliers,
}
"""Types that one column's histogram decides."""
NO_CLUSTERS: Final = "expect_column_outliers_not_to_cluster"
STAY_CLOSE_EACH: Final = "expect_column_distributions_to_stay_close"
NULL_SHARE_EACH: Final = "expect_column_null_shares_to_stay_close"
MAJORITY_EACH: Final = "expect_column_majority_shares_to_be_at_most"
EACH: Final = {
    STAY_CLOSE_EACH: STAY_CLOSE,
    NULL_SHARE_EACH: NULL_SHARE,
    MAJORITY_EACH: "expect_column_majority_share_to_be_at_most",
}
"""Types over several columns, and the type that judges each column."""
DISTRIBUTION_TYPES: Final = BASELINE_TYPES | ALONE.keys() | EACH.keys() | {NO_CLUSTERS}
"""The types that histograms decide."""
