"""Rules about shares of a column: nulls, one value's majority, groups and outliers."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.drift.histogram import Histogram, Histograms, code_of
from expectations.drift.outliers import FACTORS, Method, fences, outlier_shares
from tests.support.drift.distribution_rules import GROUPS, MAJORITY, NORMAL, NULLS, OUTLIERS, ask, histograms


@pytest.mark.parametrize(
    ("nulls", "before", "rows", "broken"),
    [(300, 100, 1000, 1), (130, 100, 1000, 0), (9, 0, 100, 0), (12, 0, 100, 1), (40, 0, 99, 0)],
)
def test_jump_of_the_null_rate_breaks_by_size_and_significance_together(
    nulls: int, before: int, rows: int, broken: int
) -> None:
    new, base = (
        Histograms(rows, {"person": Histogram("presence", rows, count)}) for count in (nulls, before)
    )
    kwargs = {"column": "person", "baseline": "pinned", "max_change": 0.05}
    kwargs |= {"max_change": 0.1} if nulls == 9 else {}
    assert ask(NULLS, kwargs, new, pinned=base).failed == broken


def test_value_of_too_many_rows_is_imbalance_for_any_number_of_classes() -> None:
    kwargs = {"column": "group", "max_share": 0.8}
    assert not ask(MAJORITY, kwargs, histograms(group=["a"] * 85 + ["b"] * 10 + ["c"] * 5)).success
    assert ask(MAJORITY, kwargs, histograms(group=["a"] * 80 + ["b"] * 15 + ["c"] * 5 + [None] * 900)).success
    assert ask(MAJORITY, kwargs, Histograms(9, {"group": Histogram("class", 9, too_many=True)})).success
    assert not ask(
        MAJORITY, {"column": "size", "max_share": 0.8}, histograms(size=[0] * 90 + [1] * 10)
    ).success
    assert ask(MAJORITY, {"column": "size", "max_share": 0.8}, histograms(size=[1000, 1001] * 50)).success


def test_group_shares_are_held_against_a_reference_and_what_it_does_not_name() -> None:
    kwargs = {"column": "group", "shares": {"a": 0.5, "b": 0.3}, "max_difference": 0.05}
    assert ask(GROUPS, kwargs, histograms(group=["a"] * 52 + ["b"] * 29 + ["c"] * 19)).success
    assert (
        ask(GROUPS, kwargs, histograms(group=["a"] * 50 + ["b"] * 20 + ["c"] * 30)).observed["shares_away"]
        == 2
    )
    found = ask(GROUPS, kwargs, histograms(group=["secret"] * 100))
    assert found.observed["observed_value"] == pytest.approx(0.8)
    assert "secret" not in json.dumps(found.observed)


@settings(max_examples=60)
@given(
    st.lists(st.integers(-500, 500) | st.integers(-(10**9), 10**9), min_size=1, max_size=40),
    st.sampled_from(["iqr", "zscore"]),
    st.sampled_from(["integer", "double"]),
)
def test_true_share_of_outliers_lies_within_the_bounds(values: list[int], method: Method, kind: Any) -> None:
    array, factor = np.array(values, dtype=float), FACTORS[method]
    histogram = Histogram(kind, len(values), bins=Counter(code_of(value) for value in array))
    if method == "iqr":
        first, third = (np.quantile(array, quarter, method="inverted_cdf") for quarter in (0.25, 0.75))
        low, high = first - factor * (third - first), third + factor * (third - first)
    else:
        low, high = array.mean() - factor * array.std(), array.mean() + factor * array.std()
    least, most = outlier_shares(histogram, method, factor)
    slack = 1e-9 * float(np.abs(array).max() + 1)
    found = fences(histogram, method, factor)
    assert found is not None
    assert found.lower[0] - slack <= low <= found.lower[1] + slack
    assert found.upper[0] - slack <= high <= found.upper[1] + slack
    sure, perhaps = (
        ((array < low - slack) | (array > high + slack)).mean(),
        ((array < low + slack) | (array > high - slack)).mean(),
    )
    assert least <= perhaps + 1e-12
    assert sure - 1e-12 <= most


def test_outliers_are_told_with_the_bound_that_bins_leave() -> None:
    values = [*NORMAL[:1000], *[5000] * 60]
    kwargs = {"column": "size", "method": "iqr", "max_share": 0.05}
    found = ask(OUTLIERS, kwargs, histograms(size=values))
    assert 0.05 < found.observed["least"] <= found.observed["greatest"] < 0.08
    assert not found.success
    assert ask(OUTLIERS, kwargs | {"method": "zscore", "factor": 5}, histograms(size=NORMAL[:1000])).success
    infinite = ask(
        OUTLIERS, {"column": "real", "method": "iqr", "max_share": 0.4}, histograms(real=[float("inf"), 1.0])
    )
    assert infinite.observed["observed_value"] == 0.5
    assert ask(OUTLIERS, kwargs, Histograms()).success
