"""What drift rules find, measured: planted shifts of many sizes against clean drops, over seeds,
and the table of it in docs/distribution.md.

The figures are made anew by `pytest tests/detection/test_shifts.py -s`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from catalog.rules.distribution_rules import STATISTICS
from catalog.rules.expectation_types import EXPECTATIONS
from expectations.drift.baseline_rules import Baseline
from expectations.drift.histogram import Histograms
from expectations.drift.histogram_rules import STAY_CLOSE_EACH
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.plan import Plan, make_plan
from expectations.suite import Rule, Suite
from tests.support.planted import shift
from tests.support.planted.shift import CONTRACT, Fault, clean, counted, faulty

PAIRS: Final = 40
"""Clean pairs of drops, and as many with a fault of each size."""
ROWS: Final = 2000
FEW: Final = 200
BOUNDS: Final = {"kl": 0.05, "js": 0.02, "psi": 0.10, "chi_squared": 0.15, "ks": 0.10}
"""Bounds of each statistic that lie about as far out; that of `kl` is the default."""
SIZES: Final[list[tuple[str, Fault, tuple[float, ...], str]]] = [
    ("the mean moves, standard deviations", shift.moved, (0.1, 0.2, 0.3, 0.4, 0.5, 1.0), "{:g}"),
    ("the spread grows, times", shift.widened, (1.1, 1.25, 1.5, 2.0), "{:g}"),
    ("minutes come as seconds, in part of the rows", shift.other_unit, (0.05, 0.1, 0.25, 1.0), "{:.0%}"),
    ("one class takes over, part of the rows", shift.taken_over, (0.1, 0.2, 0.3, 0.5), "{:.0%}"),
    ("a class is renamed that had, of the rows", shift.renamed, (0.05, 0.1, 0.4), "{:.0%}"),
]


def plan_of(kind: str, kwargs: dict[str, Any]) -> Plan:
    """The plan of one rule."""
    rule = Rule("r", kind, kwargs, "warn", EXPECTATIONS[kind].family, row_rule=False)
    return make_plan(Suite("trips", "processed", (rule,)), CONTRACT)


def comparing(statistic: str, baseline: Baseline = "previous", bound: float | None = None) -> Plan:
    """The plan of a rule over all columns that this statistic can compare."""
    numbers = [column.name for column in CONTRACT.columns if column.type in ("integer", "double")]
    names = numbers if statistic == "ks" else [column.name for column in CONTRACT.columns]
    kwargs = {
        "column_list": names,
        "baseline": baseline,
        "statistic": statistic,
        "max_value": bound or BOUNDS[statistic],
    }
    return plan_of(STAY_CLOSE_EACH, kwargs)


def named(plan: Plan, seen: Histograms, base: Histograms) -> frozenset[str]:
    """The columns that a rule over several names as broken."""
    (found,) = judge_distributions(plan, seen, {"previous": base, "pinned": base}).values()
    return frozenset(found.observed["broken_by"])


@dataclass
class Score:
    """What was planted and what was named, column by column."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, planted: frozenset[str], found: frozenset[str]) -> None:
        """Count one comparison."""
        self.right += len(planted & found)
        self.wrong += len(found - planted)
        self.missed += len(planted - found)

    @property
    def recall(self) -> float:
        """The part of what was planted that was named."""
        return self.right / (self.right + self.missed)

    @property
    def precision(self) -> float:
        """The part of what was named that was planted."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0


@dataclass
class Measured:
    """Scores by rule, fault and size; `alarms` are the columns that a rule named in clean pairs."""

    scores: dict[tuple[str, str, float], Score] = field(default_factory=dict)
    alarms: dict[str, int] = field(default_factory=dict)

    def precision(self, rule: str) -> float:
        """Of all that a rule named, over faults, sizes and the clean pairs, the part that was planted."""
        chosen = [score for (other, *_), score in self.scores.items() if other == rule]
        right, wrong = sum(score.right for score in chosen), sum(score.wrong for score in chosen)
        return right / (right + wrong + self.alarms[rule])


RULES: Final = [*BOUNDS, "few"]
"""Each statistic over drops of `ROWS` rows, and `kl` over drops of `FEW`."""


def measure() -> Measured:
    """Compare every drop with the one before it, by every rule."""
    assert set(BOUNDS) == set(STATISTICS)
    found = Measured()
    for rows, rules in ((ROWS, list(BOUNDS)), (FEW, ["few"])):
        plans = {rule: comparing("kl" if rule == "few" else rule) for rule in rules}
        for seed in range(PAIRS):
            chance = np.random.default_rng([rows, seed])
            base, drop = counted(clean(chance, rows)), clean(chance, rows)
            seen = counted(drop)
            for rule, plan in plans.items():
                found.alarms[rule] = found.alarms.get(rule, 0) + len(named(plan, seen, base))
            for _, fault, sizes, _ in SIZES:
                for size in sizes:
                    name, changed = faulty(drop, seen, fault, chance, size)
                    for rule, plan in plans.items():
                        if name in plan.histograms:
                            score = found.scores.setdefault((rule, fault.__name__, size), Score())
                            score.add(frozenset({name}), named(plan, changed, base))
    return found


def page(found: Measured) -> Iterator[str]:
    """The table of docs/distribution.md."""
    heads = [*(f"`{name}` {bound:g}" for name, bound in BOUNDS.items()), f"`kl` 0.05, {FEW} rows"]
    yield f"| planted | size | {' | '.join(heads)} |"
    yield f"|---|---|{'---|' * len(heads)}"
    for what, fault, sizes, written in SIZES:
        for size in sizes:
            scores = [found.scores.get((rule, fault.__name__, size)) for rule in RULES]
            shown = ["" if score is None else f"{score.recall:.2f}" for score in scores]
            yield f"| {what} | {written.format(size)} | {' | '.join(shown)} |"
    yield f"| nothing (columns named, in all) | | {' | '.join(str(found.alarms[rule]) for rule in RULES)} |"
    yield (
        f"| precision over all of these | | {' | '.join(f'{found.precision(rule):.2f}' for rule in RULES)} |"
    )
