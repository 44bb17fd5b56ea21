"""A series as Lakegate sees it: its contract's rules, and the histograms that they are judged on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.drift.monthly import Drop, Series, Values
from benchmarks.machine import ROOT
from catalog.contract import Column, Contract
from catalog.drift import Drift
from expectations.building.build import build_suite
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram import Histogram, Histograms, code_of
from expectations.drift.precedent import Past
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import Plan, make_plan

NOWHERE: Final[Path] = ROOT / "docs" / "distribution.md"
"""Where the contracts of series say that they lie: a place beside which there are no suite files."""


@dataclass(frozen=True)
class Table:
    """A series counted: its contract's rules, and the histograms of each delivery."""

    series: Series
    plan: Plan
    season: int | None
    counted: Sequence[Histograms]

    def broken(self, number: int, seen: Histograms) -> dict[str, set[str]]:
        """The columns that break each rule where `seen` comes as delivery `number`, counted from 0."""
        before = self.counted[:number]
        baselines: dict[Baseline, Histograms] = {"previous": before[-1], "pinned": before[0]}
        if self.season and number >= self.season:
            baselines["season"] = before[-self.season]
        past = Past(lambda many: before[-many:], lambda many: before[1 : many + 1], self._seasons(before))
        found = judge_distributions(self.plan, seen, baselines, past=past)
        return {name: set(item.observed["broken_by"]) for name, item in found.items()}

    def _seasons(
        self, before: Sequence[Histograms]
    ) -> Callable[[int], Sequence[tuple[Histograms, Histograms]]]:
        season = self.season or len(before)
        return lambda many: list(zip(before[season:], before, strict=False))[-many:]


def table(series: Series, drift: Drift, counted: Sequence[Histograms]) -> Table:
    """A series under the rules that a contract of these columns gets."""
    kinds = {"class": "string", "integer": "integer", "double": "double"}
    columns = tuple(Column(name, kinds[item.kind]) for name, item in counted[0].columns.items())  # type: ignore[arg-type]
    columns = (Column("id", "integer"), *columns)
    contract = Contract(series.name, "dataset", NOWHERE, "", columns, ("id",), "append", drift=drift)
    plan = make_plan(build_suite(contract, "processed", NOWHERE.parent), contract)
    return Table(series, plan, drift.season, counted)


def count(drops: Sequence[Drop]) -> list[Histograms]:
    """The histograms of deliveries, each column of one kind in all of them."""
    whole = {name for name in drops[0] if all(_whole(drop[name]) for drop in drops)}
    return [count_drop(drop, whole) for drop in drops]


def count_drop(drop: Drop, whole: set[str]) -> Histograms:
    """The histograms of one delivery; `whole` are the columns of whole numbers."""
    rows = len(next(iter(drop.values())))
    return Histograms(rows, {name: _histogram(values, whole=name in whole) for name, values in drop.items()})


def _whole(values: Values) -> bool:
    return values.dtype != object and bool(np.all((values == np.round(values)) | np.isnan(values)))


def _histogram(values: Values, *, whole: bool) -> Histogram:
    if values.dtype == object:
        there = [str(value) for value in values if value is not None]
        names, counts = np.unique(np.array(there, dtype=str), return_counts=True)
        classes = dict(zip(names.tolist(), counts.tolist(), strict=True))
        return Histogram("class", len(values), len(values) - len(there), classes=classes)
    numbers, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    bins: dict[int, int] = {}
    for number, rows in zip(numbers.tolist(), counts.tolist(), strict=True):
        bins[code_of(number)] = bins.get(code_of(number), 0) + rows
    return Histogram("integer" if whole else "double", len(values), int(np.isnan(values).sum()), bins=bins)
