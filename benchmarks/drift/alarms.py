"""`make bench-drift`: false alarms of the default rules on drift, and the planted faults that they find.

Real data is what the packages at hand hold (`benchmarks.drift.monthly` names them), for none can be
downloaded here; series made by a seed are listed apart from it. Every delivery after a series' first is
judged, once by the defaults as they are and once by the bounds alone (`history: 0`, no `nulls`), as the
defaults were up to 0.1. Each of nineteen faults is planted in each delivery from the second on. The result is
written into docs/distribution.md; a rule that warns of a tenth of the healthy ones or more, or a fault that
is lost, makes the run fail.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.drift.counts import count, count_drop, table
from benchmarks.drift.faults import FAULTS, NULLS, Fault, plant
from benchmarks.drift.monthly import Series, all_series
from benchmarks.machine import ROOT, parser_of
from catalog.drift import Drift
from expectations.drift.histogram import Histograms

PAGE: Final = ROOT / "docs" / "distribution.md"
BEGIN, END = "<!-- make bench-drift -->", "<!-- end -->"
BEFORE: Final = Drift(history=0, nulls=None)
NOW: Final = Drift()
BAR: Final = 0.1
"""Share of the healthy deliveries of which a rule may warn at most."""
ENOUGH: Final = 5
"""Deliveries from which on there is enough history to say what is usual: one to begin with, and three
changes."""
SEED: Final = 7


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
    """Whether a fault's column is named, with the fault in each delivery from `first` on, counted from 0.

    Args:
        fault: The fault.
        series: The series that it is planted in.
        counted: The histograms of its deliveries.
        drift: The contract's policy.
        first: The first delivery.
    """
    tables, chance = table(series, drift, counted), np.random.default_rng(SEED)
    whole = {name for name, item in counted[0].columns.items() if item.kind == "integer"}
    named = []
    for number in range(first, len(series.drops)):
        changed = plant(fault, series.drops[number], chance)
        seen = count_drop({fault.column: changed[fault.column]}, whole)
        both = Histograms(seen.rows, {**counted[number].columns, **seen.columns})
        named.append(any(fault.column in columns for columns in tables.broken(number, both).values()))
    return named


FoundFault = tuple[Fault, list[bool], list[bool]]
"""A fault, and in which deliveries it was found: by the bounds alone, and by the defaults."""
RULES: Final = (
    "drift:previous",
    "drift:pinned",
    "drift:pinned:trigger",
    "drift:season",
    "nulls",
    "imbalance",
)


def lines(found: list[tuple[Alarms, Alarms]], faults: list[FoundFault]) -> Iterator[str]:
    """The two tables of the page."""
    yield f"| healthy deliveries | of them | {' | '.join(f'`{rule}`' for rule in RULES)} | any of these |"
    yield "|---|---|" + "---|" * (len(RULES) + 1)
    for before, now in found:
        cells = [_pair(before.by_rule.get(rule), now.by_rule.get(rule)) for rule in RULES]
        yield f"| {now.kind} | {now.deliveries} | {' | '.join(cells)} | {before.any_rule} → {now.any_rule} |"
    yield ""
    yield "| planted | in | by the bounds alone | by the defaults | of them from the fifth delivery on |"
    yield "|---|---|---|---|---|"
    for fault, old, new in faults:
        late = new[ENOUGH - 2 :]
        found_of = " | ".join(f"{sum(hits)} of {len(hits)}" for hits in (old, new, late))
        yield f"| {fault.name} | {fault.series}: `{fault.column}` | {found_of} |"


def _pair(before: int | None, now: int | None) -> str:
    if now is None:
        return ""
    return str(now) if before is None else f"{before} → {now}"


def misses(found: list[tuple[Alarms, Alarms]], faults: list[FoundFault]) -> list[str]:
    """What is past a bar."""
    warned = [
        f"{name} warned of {number} of {now.deliveries} ({now.kind})"
        for _, now in found
        for name, number in [*now.by_rule.items(), ("some rule", now.any_rule)]
        if number >= BAR * now.deliveries
    ]
    lost = [fault.name for fault, _, new in faults if not all(new[ENOUGH - 2 :])]
    return warned + [f"not found in every delivery from the fifth on: {name}" for name in lost]


def measure(several: Sequence[Series]) -> tuple[list[tuple[Alarms, Alarms]], list[FoundFault]]:
    """The alarms of the healthy deliveries and the faults found, by the bounds alone and by the defaults."""
    counted = {series.name: count(series.drops) for series in several}
    real, made = [item for item in several if item.season is None], [item for item in several if item.season]
    found = []
    for kind, chosen in (("real", real), ("made by a seed", made)):
        if chosen:
            found.append((alarms(kind, chosen, counted, BEFORE), alarms(kind, chosen, counted, NOW)))
    if made:
        seasons = [Drift(history=drift.history, nulls=drift.nulls, season=12) for drift in (BEFORE, NOW)]
        found.append(tuple(alarms("made, `season: 12`", made, counted, drift) for drift in seasons))  # type: ignore[arg-type]
    by_name = {series.name: series for series in several}
    faults = []
    for fault in (*FAULTS, *NULLS):
        planted = partial(found_in, fault, by_name[fault.series], counted[fault.series])
        faults.append((fault, planted(BEFORE), planted(NOW)))
    return found, faults


def main() -> None:
    """Measure, and write the page's tables."""
    parser = parser_of("bench-drift", __doc__)
    parser.add_argument("--extra", type=Path, help="The folder of the packages of requirements/drift.txt.")
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
    if past := misses(found, faults):
        sys.exit("\n".join(past))


if __name__ == "__main__":
    main()
