"""`make bench-drift`: how often the default rules on drift warn of healthy monthly deliveries, and which planted faults they find.

Real data is what the packages at hand hold (`benchmarks.monthly` names them), for none can be downloaded here; series made by a seed
stand beside it and are told apart. Every delivery after a series' first is judged, once by the defaults as they are and once by the bounds
alone (`history: 0`, no `nulls`), as the defaults were up to 0.1. Each of nineteen faults is planted in each delivery from the second on. Written into
docs/distribution.md; a rule that warns of a tenth of the healthy ones or more, or a fault that is lost, makes it fail.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.drift_faults import FAULTS, NULLS, Fault, plant
from benchmarks.monthly import Drop, Series, Values, all_series
from catalog.contract import Column, Contract
from catalog.drift import Drift
from expectations.building.build import build_suite
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram import Histogram, Histograms, code_of
from expectations.drift.precedent import Past
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import Plan, make_plan

PAGE: Final = Path(__file__).resolve().parents[1] / "docs/distribution.md"
BEGIN, END = "<!-- make bench-drift -->", "<!-- end -->"
BEFORE: Final = Drift(history=0, nulls=None)
NOW: Final = Drift()
BAR: Final = 0.1
"""Share of the healthy deliveries of which a rule may warn at most."""
SETTLED: Final = 5
"""Deliveries from which on there is enough history to say what is usual: one to begin with, and three changes."""
SEED: Final = 7


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
    contract = Contract(
        series.name, "dataset", PAGE, "", (Column("id", "integer"), *columns), ("id",), "append", drift=drift
    )
    plan = make_plan(build_suite(contract, "processed", PAGE.parent), contract)
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
        return Histogram(
            "class",
            len(values),
            len(values) - len(there),
            classes=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        )
    numbers, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    bins: dict[int, int] = {}
    for number, rows in zip(numbers.tolist(), counts.tolist(), strict=True):
        bins[code_of(number)] = bins.get(code_of(number), 0) + rows
    return Histogram("integer" if whole else "double", len(values), int(np.isnan(values).sum()), bins=bins)


@dataclass(frozen=True)
class Alarms:
    """Healthy deliveries of one kind of series: how many, and of how many each rule warned."""

    kind: str
    deliveries: int
    by_rule: dict[str, int]
    any_rule: int

    @property
    def share(self) -> float:
        """The share that some rule warned of."""
        return self.any_rule / self.deliveries


def alarms(
    kind: str, several: Sequence[Series], counted: dict[str, list[Histograms]], drift: Drift
) -> Alarms:
    """Judge each delivery after the first of some series."""
    by_rule, warned, deliveries = dict[str, int](), 0, 0
    for series in several:
        found = table(series, drift, counted[series.name])
        for number in range(1, len(series.drops)):
            broken = found.broken(number, found.counted[number])
            deliveries += 1
            warned += any(broken.values())
            for rule, columns in broken.items():
                by_rule[rule] = by_rule.get(rule, 0) + bool(columns)
    return Alarms(kind, deliveries, by_rule, warned)


def found_in(
    fault: Fault, series: Series, counted: list[Histograms], drift: Drift, *, first: int = 1
) -> list[bool]:
    """Whether a fault's column is named, where it comes as a delivery: as each from `first` on, counted from 0."""
    tables, chance = table(series, drift, counted), np.random.default_rng(SEED)
    whole = {name for name, item in counted[0].columns.items() if item.kind == "integer"}
    named = []
    for number in range(first, len(series.drops)):
        changed = plant(fault, series.drops[number], chance)
        seen = count_drop({fault.column: changed[fault.column]}, whole)
        both = Histograms(seen.rows, {**counted[number].columns, **seen.columns})
        named.append(any(fault.column in columns for columns in tables.broken(number, both).values()))
    return named


RULES: Final = (
    "drift:previous",
    "drift:pinned",
    "drift:pinned:trigger",
    "drift:season",
    "nulls",
    "imbalance",
)


def lines(
    found: list[tuple[Alarms, Alarms]], faults: list[tuple[Fault, list[bool], list[bool]]]
) -> Iterator[str]:
    """The two tables of the page."""
    yield (
        "| healthy deliveries | of them | " + " | ".join(f"`{rule}`" for rule in RULES) + " | any of these |"
    )
    yield "|---|---|" + "---|" * (len(RULES) + 1)
    for before, now in found:
        cells = [_pair(before.by_rule.get(rule), now.by_rule.get(rule)) for rule in RULES]
        yield f"| {now.kind} | {now.deliveries} | {' | '.join(cells)} | {before.any_rule} → {now.any_rule} |"
    yield ""
    yield "| planted | in | by the bounds alone | by the defaults | of them from the fifth delivery on |"
    yield "|---|---|---|---|---|"
    for fault, old, new in faults:
        late = new[SETTLED - 2 :]
        place = f"{fault.series}: `{fault.column}`"
        yield f"| {fault.name} | {place} | {sum(old)} of {len(old)} | {sum(new)} of {len(new)} | {sum(late)} of {len(late)} |"


def _pair(before: int | None, now: int | None) -> str:
    return "" if now is None else str(now) if before is None else f"{before} → {now}"


def misses(
    found: list[tuple[Alarms, Alarms]], faults: list[tuple[Fault, list[bool], list[bool]]]
) -> list[str]:
    """What is past a bar."""
    told = [
        f"{name} warned of {number} of {now.deliveries} ({now.kind})"
        for _, now in found
        for name, number in [*now.by_rule.items(), ("some rule", now.any_rule)]
        if number >= BAR * now.deliveries
    ]
    lost = [fault.name for fault, _, new in faults if not all(new[SETTLED - 2 :])]
    return told + [f"not found in every delivery from the fifth on: {name}" for name in lost]


def measure(
    several: Sequence[Series],
) -> tuple[list[tuple[Alarms, Alarms]], list[tuple[Fault, list[bool], list[bool]]]]:
    """The alarms of the healthy deliveries and the faults found, by the bounds alone and by the defaults."""
    counted = {series.name: count(series.drops) for series in several}
    real, made = [item for item in several if item.season is None], [item for item in several if item.season]
    told = [(kind, chosen) for kind, chosen in (("real", real), ("made by a seed", made)) if chosen]
    found = [
        (alarms(kind, chosen, counted, BEFORE), alarms(kind, chosen, counted, NOW)) for kind, chosen in told
    ]
    if made:
        seasons = [Drift(history=drift.history, nulls=drift.nulls, season=12) for drift in (BEFORE, NOW)]
        found.append(tuple(alarms("made, `season: 12`", made, counted, drift) for drift in seasons))  # type: ignore[arg-type]
    by_name = {series.name: series for series in several}
    faults = [
        (
            fault,
            *(
                found_in(fault, by_name[fault.series], counted[fault.series], drift)
                for drift in (BEFORE, NOW)
            ),
        )
        for fault in (*FAULTS, *NULLS)
    ]
    return found, faults


def main() -> None:
    """Measure, and write the page's tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--extra", type=Path, help="The folder with the files of requirements/drift.txt's packages."
    )
    parser.add_argument("--into", type=Path, default=PAGE, help="The page whose tables are written.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        several = all_series(Path(scratch), given.extra)
    found, faults = measure(several)
    body = "\n".join(lines(found, faults))
    print(body)
    page = given.into.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    given.into.write_text(f"{head}{BEGIN}\n{body}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    if told := misses(found, faults):
        sys.exit("\n".join(told))


if __name__ == "__main__":
    main()
