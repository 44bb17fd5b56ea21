"""Whether a change stands out from a table's own past: a season doesn't, a fault does,
and what came back is no second change.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.drift import Drift
from expectations.building.build import build_suite
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram import Histogram, Histograms, code_of
from expectations.drift.precedent import Past, quantiles
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import make_plan
from expectations.verdict import Outcome
from tests.support.drift.past_drops import CONTRACT, drop
from tests.support.places import ROOT

YEAR = 12


def warm(month: int) -> Histograms:
    """A month of temperatures: over the bound from the month before in ten of twelve,
    by nothing but the season.
    """
    return drop(60 - 25 * math.cos(2 * math.pi * month / YEAR), month, spread=9)


def judge(series: list[Histograms], *, drift: Drift | None = None) -> dict[str, Outcome]:
    """The default rules of the last of a series of deliveries, as the lake would ask them."""
    contract = replace(CONTRACT, drift=drift or Drift())
    plan = make_plan(build_suite(contract, "processed", ROOT), contract)
    before, season = series[:-1], (drift or Drift()).season
    baselines: dict[Baseline, Histograms] = {"previous": before[-1], "pinned": before[0]}
    if season:
        baselines["season"] = series[-1 - season]
    pairs = list(zip(before[season or 1 :], before, strict=False))
    past = Past(lambda many: before[-many:], lambda many: before[1 : many + 1], lambda many: pairs[-many:])
    return judge_distributions(plan, series[-1], baselines, past=past)


def told(series: list[Histograms], *, drift: Drift | None = None) -> set[str]:
    return {name for name, item in judge(series, drift=drift).items() if item.failed and name != "imbalance"}


def test_season_is_over_the_bounds_each_month_and_is_told_in_none() -> None:
    months = [warm(month) for month in range(2 * YEAR)]
    bounds = Drift(history=0)
    assert all(
        "drift:pinned:trigger" in told(months[:number], drift=bounds) for number in (3, 5, 7, 9, 11, 16)
    )
    assert [told(months[:number]) for number in range(2, 2 * YEAR + 1)] == [set()] * (2 * YEAR - 1)


def test_fault_is_told_once_and_not_that_it_was_mended() -> None:
    steady = [drop(50, seed) for seed in range(6)]
    faulty = [*steady, drop(53, 6)]
    assert told(faulty) == {"drift:previous", "drift:pinned", "drift:pinned:trigger"}
    assert told([*faulty, drop(50, 7)]) == set()
    assert told([*faulty, drop(50, 7)], drift=Drift(history=0)) == {"drift:previous"}
    assert told([*steady, drop(50, 8)]) == set()


def test_unit_of_a_column_that_varies_with_the_season_is_told_although_its_divergence_can_not_grow() -> None:
    months = [warm(month) for month in range(8)]
    assert "drift:previous" in told([*months, drop(600, 9, spread=50)])


def test_great_change_after_few_deliveries_is_told_and_a_small_one_is_not_yet() -> None:
    assert told([drop(50, 0), drop(54, 1)]) == set()
    assert told([drop(50, 0), drop(54, 1)], drift=Drift(history=0)) >= {"drift:previous"}
    assert told([drop(50, 0), drop(3000, 1)]) == {"drift:previous", "drift:pinned", "drift:pinned:trigger"}
    assert told([drop(50, 0), drop(50, 1, groups="aac")]) == {
        "drift:previous",
        "drift:pinned",
        "drift:pinned:trigger",
    }


def test_slow_move_is_told_against_the_pinned_version_when_it_can_be_told_from_a_season() -> None:
    slow = [drop(50 + 0.3 * number, number) for number in range(2 * YEAR + 6)]
    found = [told(slow[:number]) for number in range(2, len(slow) + 1)]
    first = next(number for number, rules in enumerate(found, 2) if rules)
    assert YEAR + 2 < first <= 2 * YEAR
    assert "drift:pinned:trigger" in set().union(*found)
    assert not any("drift:previous" in rules for rules in found)


def test_delivery_of_another_month_is_told_against_the_season_and_a_usual_year_is_not() -> None:
    drift = Drift(season=YEAR)
    years = [
        drop(60 - 25 * math.cos(2 * math.pi * month / YEAR) + month % 5 * 0.7, month)
        for month in range(2 * YEAR + 5)
    ]
    assert told(years, drift=drift) == set()
    assert told(years, drift=Drift(season=YEAR, history=0)) >= {"drift:season"}
    assert "drift:season" in told([*years[:-1], drop(36, 99)], drift=drift)  # January again, in May


@pytest.mark.parametrize(
    ("before", "now", "rows", "warned"),
    [
        ([0] * 6, 1000, 1000, True),
        ([0], 12, 12, True),  # few rows are enough where all of them are NULL
        ([0], 9, 9, False),
        ([0] * 6, 400, 1000, True),
        ([0, 250, 30, 310, 100, 20], 330, 1000, False),  # it is now and then
        ([0], 400, 1000, False),  # nothing says what is usual
        ([1000] * 3, 1000, 1000, False),
        ([1000] * 6, 0, 1000, True),
    ],
)
def test_column_that_turns_wholly_null_is_told_and_one_that_often_lacks_values_is_not(
    before: list[int], now: int, rows: int, *, warned: bool
) -> None:
    series = [drop(50, seed, nulls=nulls, rows=rows) for seed, nulls in enumerate(before)]
    found = judge([*series, drop(50, 9, nulls=now, rows=rows)])["nulls"]
    assert (found.failed, found.observed["broken_by"]) == ((1, ["seen"]) if warned else (0, []))
    assert found.to_json().get("columns") == (["seen"] if warned else None)
    if warned and now == rows:
        assert f"all {rows} of seen are NULL" in found.observed["told"]


def test_column_that_holds_one_value_is_told_when_it_begins_to_and_not_each_time() -> None:
    usual, constant = drop(50, 1), drop(50, 2, groups="a")

    def imbalance(*series: Histograms, drift: Drift | None = None) -> int:
        return judge(list(series), drift=drift)["imbalance"].failed

    assert imbalance(usual, constant) == 1
    assert imbalance(usual, constant, constant) == imbalance(constant, constant) == 0
    assert imbalance(usual, constant, usual, constant) == 1
    assert imbalance(usual, constant, constant, drift=Drift(history=0)) == 1


SERIES = st.lists(
    st.tuples(st.sampled_from((0, 30, 50, 51, 55, 80, 500)), st.sampled_from((0, 100, 500, 1000))),
    min_size=2,
    max_size=9,
)


@given(SERIES)
@settings(max_examples=60, deadline=None)
def test_precedent_tells_nothing_that_the_bounds_would_not_and_nothing_that_came_before(
    series: list[tuple[int, int]],
) -> None:
    drops = [drop(mean, seed, nulls=nulls) for seed, (mean, nulls) in enumerate(series)]
    assert told(drops) <= told(drops, drift=Drift(history=0)) | {"nulls"}
    again = told([*drops, drops[-2]])
    assert "drift:previous" not in again
    assert judge(drops) == judge(list(drops))


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=50))
def test_quantiles_lie_in_the_bins_of_the_values_and_infinity_is_a_number(values: list[float]) -> None:
    bins: dict[int, int] = {}
    for value in values:
        bins[code_of(value)] = bins.get(code_of(value), 0) + 1
    found = quantiles(Histogram("double", len(values), bins=bins))
    assert list(found) == sorted(found)
    assert all(math.isfinite(value) for value in found)
    middle = sorted(values)[math.ceil(len(values) / 2) - 1]
    assert code_of(found[2]) == code_of(middle) or abs(middle) > 1e18 or abs(middle) < 1e-18
