"""Which types histograms answer, and the rules that one column's histogram answers alone: imbalance, group shares, outliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from expectations.drift.baseline_rules import BASELINE_TYPES, NULL_SHARE, STAY_CLOSE
from expectations.drift.histogram import Histogram
from expectations.drift.outliers import FACTORS, outlier_shares
from expectations.drift.statistics import counted
from expectations.suite import Rule
from expectations.verdict import Outcome


def columns_of(rule: Rule) -> list[str]:
    """The columns that a rule asks histograms of."""
    return list(rule.kwargs["column_list"]) if "column_list" in rule.kwargs else [rule.kwargs["column"]]


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
        return Outcome(
            rule,
            0,
            1,
            {
                "observed_value": None,
                "told": f"{rule.kwargs['column']} has no value, or too many distinct ones",
            },
        )
    distinct = len(histogram.bins) + len(histogram.classes)
    told = f"one value of {rule.kwargs['column']} holds {share:.2%} of {values} rows, at most {bound:.2%}"
    return Outcome(
        rule,
        int(share > bound),
        1,
        {"observed_value": share, "rows": values, "classes": distinct, "told": told},
    )


def as_before(outcome: Outcome, base: Histogram | None) -> Outcome:
    """An outcome of too great a majority, which is none to tell of again where one value held too much in the baseline already."""
    share = majority_share(base) if base else None
    if not outcome.failed or share is None or share <= outcome.rule.kwargs["max_share"]:
        return outcome
    told = f"{outcome.observed['told']}, and one did before ({share:.2%})"
    return replace(outcome, failed=0, observed=outcome.observed | {"told": told})


def _group_shares(rule: Rule, histogram: Histogram) -> Outcome:
    """Classes that the reference doesn't name are one more, with what its shares leave."""
    values, stated, bound = counted(histogram), rule.kwargs["shares"], rule.kwargs["max_difference"]
    if histogram.too_many or not values:
        return Outcome(
            rule,
            0,
            1,
            {
                "observed_value": None,
                "told": f"{rule.kwargs['column']} has no value, or too many distinct ones",
            },
        )
    named = [abs(histogram.classes.get(name, 0) / values - share) for name, share in stated.items()]
    others = values - sum(histogram.classes.get(name, 0) for name in stated)
    rest = abs(others / values - max(0.0, 1 - sum(stated.values())))
    away = sum(difference > bound for difference in [*named, rest])
    most = max([*named, rest])
    told = f"{away} of {len(named) + 1} shares of {rule.kwargs['column']} are further than {bound:.2%} from the reference, {most:.2%} at most"
    observed = {
        "observed_value": most,
        "shares_away": away,
        "others_share": others / values,
        "rows": values,
        "told": told,
    }
    return Outcome(rule, int(away > 0), 1, observed)


def _outliers(rule: Rule, histogram: Histogram) -> Outcome:
    method, bound = rule.kwargs["method"], rule.kwargs["max_share"]
    low, high = outlier_shares(histogram, method, rule.kwargs.get("factor", FACTORS[method]))
    told = f"{low:.2%} of {rule.kwargs['column']} are outliers (the bins leave it open up to {high:.2%}), at most {bound:.2%}"
    observed = {
        "observed_value": low,
        "least": low,
        "greatest": high,
        "rows": counted(histogram),
        "told": told,
    }
    return Outcome(rule, int(low > bound), 1, observed)


ALONE: Final[dict[str, Callable[[Rule, Histogram], Outcome]]] = {
    "expect_column_majority_share_to_be_at_most": _majority,
    "expect_column_group_shares_to_be_close_to": _group_shares,
    "expect_column_outlier_share_to_be_at_most": _outliers,
}
"""Types that one column's histogram answers alone."""
NO_CLUSTERS: Final = "expect_column_outliers_not_to_cluster"
STAY_CLOSE_EACH: Final = "expect_column_distributions_to_stay_close"
NULL_SHARE_EACH: Final = "expect_column_null_shares_to_stay_close"
MAJORITY_EACH: Final = "expect_column_majority_shares_to_be_at_most"
EACH: Final = {
    STAY_CLOSE_EACH: STAY_CLOSE,
    NULL_SHARE_EACH: NULL_SHARE,
    MAJORITY_EACH: "expect_column_majority_share_to_be_at_most",
}
"""Types over several columns, and the type that each column is asked by."""
DISTRIBUTION_TYPES: Final = BASELINE_TYPES | ALONE.keys() | EACH.keys() | {NO_CLUSTERS}
"""The types that histograms answer."""
