"""Which earlier versions of a table are its past: the last deliveries, the first, and those of a season."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.drift import Drift
from catalog.odcs.loader import load_contract
from expectations.building.build import build_suite
from expectations.drift.histogram import Histograms
from lakegate.errors import ContractError
from tests.support.drift.histogram_lake import KeptLake
from tests.support.drift.past_drops import CONTRACT, drop
from tests.support.places import ROOT


def test_contract_says_how_many_deliveries_are_asked_or_none(tmp_path: Path) -> None:
    written = (
        (ROOT / "catalog/contracts/flights.odcs.yaml")
        .read_text(encoding="utf-8")
        .partition("  - property: drift\n")[0]
    )

    def drift(text: str) -> Drift | None:
        path = tmp_path / "flights.odcs.yaml"
        path.write_text(
            f"{written.rstrip()}\n  - property: drift\n    vendor: lakegate\n    value: {text}\n",
            encoding="utf-8",
        )
        return load_contract(path).drift

    assert drift("{history: 6, nulls: 0.2}") == Drift(history=6, nulls=0.2)
    assert drift("{history: 0, nulls: none}") == Drift(history=0, nulls=None)
    assert drift("{warn: 0.05}") == Drift()
    for text, fault in (
        ("{history: 3}", "history is 3"),
        ("{history: 61}", "history is 61"),
        ("{history: true}", "history is True"),
        ("{nulls: 2}", "nulls is 2"),
        ("{nulls: some}", "nulls is 'some'"),
    ):
        with pytest.raises(ContractError, match=fault):
            drift(text)
    contract = replace(CONTRACT, drift=Drift(history=0, nulls=None))
    rules = build_suite(contract, "processed", ROOT).rules
    assert not any("history" in rule.kwargs or rule.id == "nulls" for rule in rules)


def rows_of(past: list[Histograms]) -> list[int]:
    return [item.rows for item in past]


def test_lake_tells_the_last_deliveries_the_first_and_those_of_a_season_and_reads_nothing_unasked() -> None:
    lake = KeptLake(replace(CONTRACT, drift=Drift(season=3)))
    for number in range(1, 8):
        lake.add(drop(50, number, rows=100 * number))
        if number == 4:
            lake.add(drop(50, 99, rows=5), made_by="replay_of")
    lake.read.clear()
    past: Any = lake.comparison().past
    assert lake.read == []
    assert rows_of(past.recent(3)) == [500, 600, 700]
    assert rows_of(past.recent(12)) == [100, 200, 300, 400, 500, 600, 700]
    assert rows_of(past.first(3)) == [200, 300, 400]
    assert [(one.rows, other.rows) for one, other in past.seasons(12)] == [
        (400, 100),
        (500, 200),
        (600, 300),
        (700, 400),
    ]
    lake.rewrite(7, drop="own")
    assert KeptLake(CONTRACT).comparison().past.recent(3) == ()


def test_deliveries_of_few_rows_are_asked_together_as_a_baseline_takes_them() -> None:
    lake = KeptLake(CONTRACT)
    for number in range(10):
        lake.add(drop(50, number, rows=60))
    assert rows_of(list(lake.comparison().past.recent(3))) == [120, 120, 120]
