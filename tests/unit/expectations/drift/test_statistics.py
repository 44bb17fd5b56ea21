"""What is found from bins, held against scipy on the values themselves."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, entropy, false_discovery_control, ks_2samp
from scipy.stats.contingency import association

from expectations.drift import statistics
from expectations.drift.histogram import PARTS, Histogram, Kind, code_of

INTEGERS = st.lists(st.integers(-300, 300) | st.integers(-(10**9), 10**9), min_size=1, max_size=60)
DOUBLES = st.lists(
    st.floats(-2, 2) | st.floats(allow_nan=False) | st.sampled_from([0.0, 1.0, 1.001, 1.002]),
    min_size=1,
    max_size=60,
)
COUNTS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=8).filter(
    lambda pairs: all(sum(side) for side in zip(*pairs, strict=True))
)


def histogram(values: list[float], kind: Kind = "double", nan: int = 0) -> Histogram:
    return Histogram(kind, len(values) + nan, nan=nan, bins=Counter(code_of(value) for value in values))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scipy's p-value of one row
@settings(max_examples=60)
@given(
    st.one_of(
        st.tuples(st.just("integer"), INTEGERS, INTEGERS), st.tuples(st.just("double"), DOUBLES, DOUBLES)
    )
)
def test_true_kolmogorov_smirnov_statistic_lies_within_the_bounds(
    case: tuple[Kind, list[float], list[float]],
) -> None:
    kind, new, base = case
    low, high = statistics.kolmogorov_smirnov(histogram(new, kind), histogram(base, kind))
    assert low - 1e-12 <= ks_2samp(new, base, method="asymp").statistic <= high + 1e-12
    if kind == "integer" and max(map(abs, [*new, *base])) < 128:
        assert low == high


def test_bound_is_as_wide_as_the_fullest_bin_and_no_wider() -> None:
    close = [1 + number / 1000 for number in range(10)]  # all in one bin
    low, high = statistics.kolmogorov_smirnov(histogram(close), histogram(close))
    assert (low, high) == (0.0, 1.0)
    numbers = np.random.default_rng(1).lognormal(size=20_000)
    low, high = statistics.kolmogorov_smirnov(
        histogram(list(numbers)), histogram(list(numbers[:10_000] * 1.2))
    )
    assert 0.05 < low < high < low + 0.02


def test_integer_column_that_became_double_is_compared_by_the_wider_bins() -> None:
    ten = [float(number) for number in range(1, 11)]
    low, high = statistics.kolmogorov_smirnov(histogram(ten, "double"), histogram(ten, "integer"))
    assert (low, high) == (0.0, 0.1)
    assert statistics.kolmogorov_smirnov(histogram(ten, "integer"), histogram(ten, "double")) == (low, high)


@pytest.mark.parametrize("rows", [(400, 300), (50, 5000)])
def test_kolmogorovs_p_value_is_scipys_limit(rows: tuple[int, int]) -> None:
    generator = np.random.default_rng(2)
    samples = generator.normal(size=rows[0]), generator.normal(0.1, size=rows[1])
    known = ks_2samp(*samples, method="asymp")
    assert statistics.kolmogorov_p_value(known.statistic, *rows) == pytest.approx(known.pvalue, abs=0.03)


@settings(max_examples=40)
@given(COUNTS)
def test_classes_are_compared_as_scipy_does(pairs: list[tuple[int, int]]) -> None:
    new, base = (list(side) for side in zip(*pairs, strict=True))
    table = np.array([pair for pair in pairs if any(pair)]).T
    distance = jensenshannon(new, base, base=2)
    assert statistics.jensen_shannon(new, base) == pytest.approx(
        0 if math.isnan(distance) else distance**2, abs=1e-9
    )
    shares = [[(count + 0.5) for count in side] for side in (new, base)]
    assert statistics.kullback_leibler(new, base) == pytest.approx(entropy(*shares), abs=1e-9)
    assert statistics.population_stability(new, base) == pytest.approx(
        entropy(*shares) + entropy(*reversed(shares)), abs=1e-9
    )
    if table.shape[1] > 1:
        known = chi2_contingency(table, correction=False)
        assert statistics.chi_squared(new, base) == pytest.approx((known.statistic, known.dof))
        assert statistics.cramers_v(new, base) == pytest.approx(association(table, method="cramer"), abs=1e-7)
        if known.expected_freq.min() >= statistics.RARE:
            assert statistics.chi_squared_p_value(new, base) == pytest.approx(known.pvalue, abs=1e-12)


def test_rare_classes_are_one_for_the_test() -> None:
    usual, rare = [500, 500], [1] * 40
    alone = statistics.chi_squared_p_value([*usual, *rare], [*usual, *[0] * 40])
    assert alone == pytest.approx(statistics.chi_squared_p_value([500, 500, 40], [500, 500, 0]))
    assert statistics.chi_squared_p_value([5], [9]) == statistics.chi_squared_p_value([], []) == 1.0


@settings(max_examples=60)
@given(
    st.lists(st.integers(-60, 60) | st.integers(-(10**6), 10**6), min_size=1, max_size=80), st.integers(0, 2)
)
def test_numbers_are_pooled_into_classes_of_a_tenth_of_the_baseline_and_heavy_bins(
    values: list[float], nan: int
) -> None:
    base = histogram(values, "integer", nan)
    new, pooled = statistics.classes(histogram([*values, 10.0**9, -(10.0**9)], "integer"), base)
    assert (sum(pooled), sum(new)) == (len(values) + nan, len(values) + 2)
    own = pooled[:-1] if nan else pooled
    heavy = [rows for rows in base.bins.values() if rows * statistics.POOLED >= len(values)]
    assert len(own) <= statistics.POOLED + 2 * len(heavy)
    assert all(own.count(rows) >= heavy.count(rows) for rows in heavy)
    lightest = max((rows for rows in base.bins.values() if rows not in heavy), default=0)
    assert all(count <= len(values) / statistics.POOLED + lightest for count in own if count not in heavy)
    differences = [one - other for one, other in zip(new[: len(own)], own, strict=True)]
    assert (differences[0], differences[-1], sum(map(abs, differences))) == (
        (2, 2, 2) if len(own) == 1 else (1, 1, 2)
    )


@settings(max_examples=40)
@given(st.integers(-300, 300), st.integers(-300, 300), st.integers(0, 40))
def test_move_away_from_a_value_that_most_rows_hold_is_seen(usual: int, other: int, few: int) -> None:
    base, new = (
        histogram([float(usual)] * 200, "integer"),
        histogram([float(usual)] * few + [float(other)] * 200, "integer"),
    )
    moved = not set(base.bins) >= set(new.bins)
    assert (statistics.kullback_leibler(*statistics.classes(new, base)) > 1) == moved
    assert (statistics.jensen_shannon(*statistics.classes(new, base)) > 0.4) == moved
    assert statistics.classes(base, base) == ([200], [200])


def test_zeros_that_become_rarer_are_seen() -> None:
    base, new = (histogram([0.0] * zeros + [5.0] * (1000 - zeros), "double") for zeros in (950, 500))
    assert statistics.classes(new, base) == ([500, 500], [950, 50])


def test_texts_are_compared_value_by_value() -> None:
    new, base = (
        Histogram("class", 3, classes={"b": 2, "c": 1}),
        Histogram("class", 4, classes={"a": 1, "b": 3}),
    )
    assert statistics.classes(new, base) == ([0, 2, 1], [1, 3, 0])


@pytest.mark.parametrize(
    "parts", [(3, 100, 9, 120), (0, 50, 0, 60), (50, 50, 60, 60), (400, 1000, 300, 1000), (1, 2, 0, 0)]
)
def test_shares_are_compared_as_chi_squared_without_correction_does(
    parts: tuple[int, int, int, int],
) -> None:
    part, rows, other, others = parts
    found = statistics.proportions_p_value(*parts)
    table = [[part, rows - part], [other, others - other]]
    flat = not rows or not others or part + other in (0, rows + others)
    assert found == pytest.approx(1.0 if flat else chi2_contingency(table, correction=False).pvalue)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_correction_is_scipys(p_values: list[float]) -> None:
    assert statistics.benjamini_hochberg(p_values) == pytest.approx(
        list(false_discovery_control(p_values, method="bh"))
    )


def test_distribution_is_no_distance_from_itself() -> None:
    counts = [7, 0, 12]
    for measure in (
        statistics.kullback_leibler,
        statistics.jensen_shannon,
        statistics.population_stability,
        statistics.cramers_v,
    ):
        assert measure(counts, counts) == 0.0
    assert statistics.jensen_shannon([0, 5], [9, 0]) == 1.0
    assert PARTS == 64
