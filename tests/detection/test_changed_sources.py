"""A source that changes without notice breaks the rules that can see it;
outliers that share a value are one finding.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.planted import changed_values, plant
from tests.support.planted.gate import Gate
from tests.support.planted.plant import Fault
from tests.support.planted.rides import KINDS
from tests.support.planted.rides import clean as clean_rides

CLOSE = {"baseline": "previous", "statistic": "kl", "max_value": 0.05}
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_distribution_to_stay_close", CLOSE | {"column": "kind"}),
    (
        "expect_column_distribution_to_stay_close",
        CLOSE | {"column": "fare", "statistic": "ks", "max_value": 0.3},
    ),
    (
        "expect_column_null_share_to_stay_close",
        {"column": "fare", "baseline": "previous", "max_change": 0.05},
    ),
    ("expect_column_majority_share_to_be_at_most", {"column": "kind", "max_share": 0.8}),
    (
        "expect_column_group_shares_to_be_close_to",
        {"column": "kind", "shares": dict.fromkeys(KINDS, 1 / 3), "max_difference": 0.15},
    ),
    ("expect_column_values_to_be_of_declared_type", {"column": "fare", "type": "double"}),
    (
        "expect_column_values_to_be_of_declared_type",
        {"column": "booked", "type": "date", "format": "dd/MM/yyyy"},
    ),
]
KIND, FARE, NULLS, IMBALANCE, SHARES, NUMBER, DATE = range(len(ASKED))
BROKEN: list[tuple[Fault | None, bool, set[int]]] = [
    (None, False, set()),
    (changed_values.renamed_category, False, {KIND, SHARES}),
    (changed_values.taken_over, False, {KIND, IMBALANCE, SHARES}),
    (changed_values.thousands_point, False, {FARE}),
    (changed_values.other_unit, False, {FARE}),
    (changed_values.lost_values, False, {NULLS}),
    (changed_values.decimal_comma, False, {NULLS, NUMBER}),
    (changed_values.decimal_comma, True, {NUMBER}),  # what is set aside is no missing value
    (changed_values.american_dates, False, {DATE}),  # times grow by nature, so no histogram of them is kept
]
"""A fault of delivered text, whether rows that break a rule are set aside, and which of the rules it breaks;
no other.
"""


@pytest.mark.parametrize(("fault", "aside", "broken"), BROKEN, ids=lambda item: getattr(item, "__name__", ""))
def test_source_that_changes_without_notice_breaks_the_rules_that_can_see_it(
    fault: Fault | None, broken: set[int], sail: Gate, *, aside: bool
) -> None:
    rows = clean_rides(2) if fault is None else plant.plant(fault, clean_rides(2), 2).rows
    found = sail.ask(rows, ASKED, baselines={"previous": clean_rides(1)}, aside=aside)
    assert {number for number, outcome in enumerate(found.outcomes) if outcome.failed} == broken


GROUPED = ["hour", "city", "rider"]
CLUSTERS: list[tuple[Fault, set[str]]] = [
    (changed_values.outliers_here_and_there, set()),
    (changed_values.outliers_of_an_hour, {"hour"}),
    (changed_values.outliers_of_a_city, {"city"}),
    (changed_values.outliers_of_a_rider, {"rider"}),
]


@pytest.mark.parametrize(("fault", "clustered"), CLUSTERS, ids=lambda item: getattr(item, "__name__", ""))
def test_outliers_are_one_finding_where_they_share_a_value_and_none_where_they_do_not(
    fault: Fault, clustered: set[str], sail: Gate
) -> None:
    planted = plant.plant(fault, clean_rides(3), 3)
    asked = [
        ("expect_column_outliers_not_to_cluster", {"column": "fare", "group_by": by, "max_share": 0.5})
        for by in GROUPED
    ]
    single = (
        "expect_column_outlier_share_to_be_at_most",
        {"column": "fare", "method": "iqr", "max_share": 0.05},
    )
    *clusters, share = sail.ask(planted.rows, [*asked, single]).outcomes
    assert {by for by, outcome in zip(GROUPED, clusters, strict=True) if outcome.failed} == clustered
    assert {outcome.observed["outliers"] for outcome in clusters} == {planted.planted}
    assert (
        share.observed["observed_value"] == share.observed["greatest"] == planted.planted / len(planted.rows)
    )
