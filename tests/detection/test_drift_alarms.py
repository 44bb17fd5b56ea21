"""The default rules on drift: quiet on real months in which nobody planted anything,
and all nineteen faults found (`make bench-drift`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.drift.alarms import BAR, BEFORE, BEGIN, END, ENOUGH, NOW, PAGE, alarms, found_in
from benchmarks.drift.counts import count
from benchmarks.drift.faults import FAULTS, NULLS
from benchmarks.drift.monthly import Series, made, of_new_york
from expectations.drift.histogram import Histograms

DELIVERIES = 12


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Series]:
    return {series.name: series for series in of_new_york(tmp_path_factory.mktemp("year"))}


@pytest.fixture(scope="module")
def counted(year: dict[str, Series]) -> dict[str, list[Histograms]]:
    return {name: count(series.drops) for name, series in year.items()}


def test_nineteen_faults_are_found_as_they_were_by_the_bounds_alone(
    year: dict[str, Series], counted: dict[str, list[Histograms]]
) -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) == 19
    last = DELIVERIES - 1
    for fault in FAULTS:
        found = [
            found_in(fault, year[fault.series], counted[fault.series], drift, first=last)
            for drift in (BEFORE, NOW)
        ]
        assert found == [[True], [True]], fault.name
    for fault in NULLS:
        found = [
            found_in(fault, year[fault.series], counted[fault.series], drift, first=last)
            for drift in (BEFORE, NOW)
        ]
        assert found == [[False], [True]], fault.name


def test_healthy_months_are_warned_of_in_less_than_one_of_ten(
    year: dict[str, Series], counted: dict[str, list[Histograms]]
) -> None:
    several = list(year.values())
    before, now = (alarms("real", several, counted, drift) for drift in (BEFORE, NOW))
    assert before.deliveries == now.deliveries == len(several) * (DELIVERIES - 1)
    assert before.by_rule["drift:pinned:trigger"] > now.deliveries / 2
    assert now.any_rule < BAR * now.deliveries
    seeded = made(0)
    drops = {seeded.name: count(seeded.drops)}
    assert (
        alarms("made", [seeded], drops, NOW).share < BAR < 0.9 < alarms("made", [seeded], drops, BEFORE).share
    )


def test_page_tells_of_every_fault_that_it_is_found_from_the_fifth_delivery_on() -> None:
    table = Path(PAGE).read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines()}
    late = DELIVERIES - ENOUGH + 1
    for fault in (*FAULTS, *NULLS):
        assert rows[fault.name].endswith(f"{late} of {late} |")
