"""Faults of whole drops: found without exception where the rule determines the answer; how often,
where chance has a say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from expectations.drift.histogram import code_of
from expectations.plan.execute_distributions import judge_distributions
from tests.support.places import ROOT
from tests.support.planted import shift
from tests.support.planted.measure import (
    BOUNDS,
    FEW,
    PAIRS,
    ROWS,
    RULES,
    Measured,
    Score,
    comparing,
    measure,
    named,
    page,
    plan_of,
)
from tests.support.planted.shift import clean, counted, faulty

PAGE = ROOT / "docs/distribution.md"
TABLES = 60
Values = np.ndarray[Any, Any]


def test_bins_counted_here_are_those_of_the_code() -> None:
    values = clean(np.random.default_rng(1), 500)["fare"]
    assert sum(shift.bins(values).values()) == 500
    assert set(shift.bins(-values)) == {code_of(-value) for value in values}


def majority(values: Values) -> bool:
    return bool(np.unique(values, return_counts=True)[1].max() / len(values) > 0.8)


def shares_off(values: Values) -> bool:
    seen = {kind: np.count_nonzero(values == kind) / len(values) for kind in ("single", "return")}
    off = [abs(seen["single"] - 0.4), abs(seen["return"] - 0.3), abs(sum(seen.values()) - 0.7)]
    return max(off) > 0.1


def nulls_jumped(values: Values) -> bool:
    return bool(abs(np.isnan(values).mean() - NULLS_BEFORE) > 0.05)


def beyond_fences(values: Values) -> bool:
    first, third = (np.quantile(values, quarter, method="inverted_cdf") for quarter in (0.25, 0.75))
    return bool(
        ((values < first - 1.5 * (third - first)) | (values > third + 1.5 * (third - first))).mean() > 0.05
    )


def beyond_deviations(values: Values) -> bool:
    return bool((np.abs(values - values.mean()) > 3 * values.std()).mean() > 0.04)


BEFORE = counted(clean(np.random.default_rng(0), 20_000))
NULLS_BEFORE = BEFORE.columns["minutes"].nulls / BEFORE.rows
GROUPS = {"column": "kind", "shares": {"single": 0.4, "return": 0.3}, "max_difference": 0.1}
DETERMINED: list[tuple[shift.Fault, tuple[float, float], str, dict[str, Any], Callable[[Values], bool]]] = [
    (
        shift.taken_over,
        (0.5, 0.85),
        "expect_column_majority_share_to_be_at_most",
        {"column": "kind", "max_share": 0.8},
        majority,
    ),
    (shift.taken_over, (0.0, 0.4), "expect_column_group_shares_to_be_close_to", GROUPS, shares_off),
    (shift.turned_rare, (0.0, 0.3), "expect_column_group_shares_to_be_close_to", GROUPS, shares_off),
    (
        shift.lost,
        (0.0, 0.12),
        "expect_column_null_share_to_stay_close",
        {"column": "minutes", "baseline": "previous", "max_change": 0.05},
        nulls_jumped,
    ),
    (
        shift.far_out,
        (0.0, 0.1),
        "expect_column_outlier_share_to_be_at_most",
        {"column": "fare", "method": "iqr", "max_share": 0.05},
        beyond_fences,
    ),
    (
        shift.far_out,
        (0.0, 0.08),
        "expect_column_outlier_share_to_be_at_most",
        {"column": "fare", "method": "zscore", "max_share": 0.04},
        beyond_deviations,
    ),
]
"""Fault, sizes on either side of the bound, rule, and what numpy says of the values themselves."""


@pytest.mark.parametrize(
    ("fault", "sizes", "kind", "kwargs", "truth"), DETERMINED, ids=lambda item: getattr(item, "__name__", "")
)
def test_share_over_its_bound_is_found_each_time_and_none_that_is_under_it(
    fault: shift.Fault,
    sizes: tuple[float, float],
    kind: str,
    kwargs: dict[str, Any],
    truth: Callable[[Values], bool],
) -> None:
    plan, score, faults = plan_of(kind, kwargs), Score(), 0
    for seed in range(TABLES):
        chance = np.random.default_rng([1, seed])
        drop = clean(chance, BEFORE.rows)
        column = fault(drop, chance, chance.uniform(*sizes))
        (outcome,) = judge_distributions(plan, counted(drop), {"previous": BEFORE}).values()
        planted = truth(drop[column])
        faults += planted
        score.add(frozenset({column} if planted else ()), frozenset({column} if outcome.failed else ()))
    assert 10 < faults < TABLES - 10, "the sizes lie on one side of the bound"
    assert (score.precision, score.recall) == (1.0, 1.0)


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure()


def test_shifts_that_are_great_enough_are_found_and_clean_drops_are_left_alone(measured: Measured) -> None:
    print("\n" + "\n".join(page(measured)))  # the figures of docs/distribution.md, with -s
    for rule in BOUNDS:
        assert measured.alarms[rule] == 0
        assert measured.precision(rule) >= 0.99
    assert measured.alarms["few"] <= 2
    assert measured.precision("few") >= 0.97

    def recall(rule: str, fault: shift.Fault, size: float) -> float:
        return measured.scores[rule, fault.__name__, size].recall

    for rule in RULES:
        assert recall(rule, shift.other_unit, 1.0) == 1.0
        assert recall(rule, shift.moved, 1.0) == 1.0
        assert recall(rule, shift.widened, 2.0) >= 0.9
        if rule != "ks":
            assert recall(rule, shift.renamed, 0.4) == recall(rule, shift.renamed, 0.1) == 1.0
            assert recall(rule, shift.taken_over, 0.5) >= 0.9
    for rule in BOUNDS:
        assert recall(rule, shift.moved, 0.4) >= 0.9
        assert recall(rule, shift.moved, 0.1) <= 0.05, "a bound that is passed by so little tells nothing"
    assert recall("few", shift.moved, 0.5) >= 0.5


def test_page_tells_the_figures_that_are_measured(measured: Measured) -> None:
    written = PAGE.read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in page(measured)]
    there = [[cell.strip() for cell in line.split("|")] for line in written.splitlines()]
    start = there.index(rows[0])
    for told, found in zip(there[start : start + len(rows)], rows, strict=True):
        assert told[:3] == found[:3]
        for one, other in zip(told[3:], found[3:], strict=True):
            if one != other:  # another machine's logarithm may move a value over an edge
                assert abs(float(one) - float(other)) <= 2 / PAIRS, (told, found)
    assert f"{PAIRS} pairs" in written
    assert f"{ROWS:,} rows" in written
    assert f"{FEW} rows" in written


SERIES, VERSIONS, STEP = 20, 12, 0.06
"""Series of versions, each of whose fares are this part of a standard deviation further than those before."""


def test_slow_move_is_found_against_the_pinned_version_and_never_against_the_one_before() -> None:
    plans = {bound: comparing("kl", "pinned", bound) for bound in (0.05, 0.10)}
    previous, first = comparing("kl"), dict[float, list[int]]()
    for seed in range(SERIES):
        chance = np.random.default_rng([2, seed])
        pinned = before = counted(clean(chance, ROWS))
        found: dict[float, int] = {}
        for version in range(2, VERSIONS + 1):
            drop = clean(chance, ROWS)
            still = counted(drop)
            assert not any(named(plan, still, pinned) for plan in plans.values())
            _, seen = faulty(drop, still, shift.moved, chance, STEP * (version - 1))
            assert named(previous, seen, before) == frozenset()
            for bound, plan in plans.items():
                if named(plan, seen, pinned) == {"fare"}:
                    found.setdefault(bound, version)
            before = seen
        for bound, version in found.items():
            first.setdefault(bound, []).append(version)
    for bound, versions in first.items():
        told = (
            f"over {bound}: {len(versions)} of {SERIES} series, "
            f"first at version {min(versions)} to {max(versions)}"
        )
        print(f"\na mean that moves by {STEP} deviations a version, pinned {told}")
    assert {bound: len(versions) for bound, versions in first.items()} == {0.05: SERIES, 0.10: SERIES}
    assert max(first[0.05]) <= 9
    assert min(first[0.10]) >= min(first[0.05])
