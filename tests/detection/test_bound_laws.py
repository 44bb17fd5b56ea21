"""Rules with bounds, for any rows: a looser bound never fails where a tighter one holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.support.planted.drawn import EXAMPLES, ODD, PUBLISHED, ROWS
from tests.support.planted.gate import Gate
from tests.support.planted.rides import KINDS, Row, takings

TAKINGS = {
    "column": "fare",
    "by": ["city"],
    "reference": "takings",
    "reference_by": ["town"],
    "reference_column": "total",
}
BOUNDS: list[tuple[str, dict[str, Any], str, list[Any]]] = [
    (
        "expect_column_values_to_be_before_delivery",
        {"column": "ended"},
        "tolerance_seconds",
        [0, 86400, 10**8],
    ),
    (
        "expect_column_values_to_be_before_cutoff",
        {"column": "ended"},
        "cutoff",
        ["2024-01-20T10:30:00", "2024-01-20T12:30:00", "2025-01-01"],
    ),
    (
        "expect_column_values_to_be_within_watermark",
        {"column": "hour"},
        "max_late_seconds",
        [0, 7200, 10**10],
    ),
    ("expect_rows_not_to_be_delivered_again", {"column_list": ["city"]}, "max_share", [0.0, 0.3, 1.0]),
    ("expect_no_burst_of_repeats", {"column_list": ["city", "kind"]}, "max_repeats", [1, 4, 100]),
    (
        "expect_series_to_have_no_gaps",
        {"column": "ended", "step_seconds": 3600},
        "max_missing",
        [0, 1, 10**6],
    ),
    ("expect_sum_to_agree_with_reference", TAKINGS, "tolerance", [1e-9, 3000.0, 1e9]),
    ("expect_column_majority_share_to_be_at_most", {"column": "city"}, "max_share", [0.1, 0.4, 1.0]),
    (
        "expect_column_group_shares_to_be_close_to",
        {"column": "kind", "shares": {KINDS[0]: 0.5}},
        "max_difference",
        [0.0, 0.1, 1.0],
    ),
    (
        "expect_column_outlier_share_to_be_at_most",
        {"column": "fare", "method": "iqr"},
        "max_share",
        [0.0, 0.2, 1.0],
    ),
    (
        "expect_column_null_share_to_stay_close",
        {"column": "city", "baseline": "previous"},
        "max_change",
        [0.0, 0.3, 1.0],
    ),
    (
        "expect_column_distribution_to_stay_close",
        {"column": "kind", "baseline": "previous", "statistic": "js"},
        "max_value",
        [0.0, 0.5, 1.0],
    ),
]
"""A rule, its other arguments, the bound, and bounds from tight to loose."""


@EXAMPLES
@given(rows=ROWS)
def test_looser_bound_never_fails_where_a_tighter_one_holds(rows: list[Row], sail: Gate) -> None:
    many = [row for row in [*rows, ODD] for _ in range(6)]  # rules that compare ask for a hundred rows
    asked = [(kind, kwargs | {bound: value}) for kind, kwargs, bound, values in BOUNDS for value in values]
    baseline = [PUBLISHED | {"city": city, "kind": "return"} for city in ("Cork", None)] * 120
    found = sail.ask(
        many,
        asked,
        published=[PUBLISHED],
        references={"takings": takings([])},
        baselines={"previous": baseline},
        aside=False,
    )
    for place, (kind, *_) in enumerate(BOUNDS):
        tight, middle, loose = slice_of(found.outcomes, place)
        assert tight.success <= middle.success <= loose.success, kind
        assert tight.failed >= middle.failed >= loose.failed, kind
        assert not tight.success, f"{kind}: nothing was broken, so nothing is shown"
        tightly, midway, loosely = slice_of(found.broken, place)
        assert tightly >= midway >= loosely, kind


def slice_of(found: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """What three bounds of one rule found."""
    return found[3 * place : 3 * place + 3]
