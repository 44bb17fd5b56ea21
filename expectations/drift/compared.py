"""Two histograms of one column, compared by one statistic: the effect, and the chance of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from expectations.drift import statistics
from expectations.drift.histogram import Histogram

LEAST_ROWS: Final = 100
"""Rows with a value that both sides need."""
_MEASURES: Final = {
    "kl": statistics.kullback_leibler,
    "js": statistics.jensen_shannon,
    "psi": statistics.population_stability,
    "chi_squared": statistics.cramers_v,
}


@dataclass(frozen=True)
class Compared:
    """One column, compared by one statistic; `effect` is the least that it can be, `high` the greatest."""

    new: Histogram
    base: Histogram
    statistic: str

    @cached_property
    def classes(self) -> tuple[list[int], list[int]]:
        """Both sides' rows by class."""
        return statistics.classes(self.new, self.base)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest that the effect can be; the same but for `ks`."""
        if self.statistic == "ks":
            return statistics.kolmogorov_smirnov(self.new, self.base)
        effect = _MEASURES[self.statistic](*self.classes)
        return effect, effect

    @property
    def p_value(self) -> float:
        """The chance of what lies between them, not corrected."""
        if self.statistic == "ks":
            rows, others = (sum(side.bins.values()) for side in (self.new, self.base))
            return statistics.kolmogorov_p_value(self.ends[0], rows, others)
        return statistics.chi_squared_p_value(*self.classes)


def incomparable(new: Histogram, base: Histogram) -> str | None:
    """Why two histograms can't be compared by their values; None where they can."""
    if new.numeric != base.numeric or "presence" in (new.kind, base.kind):
        return "the baseline's column is of another type"
    if new.too_many or base.too_many:
        return "it has more distinct values than are counted one by one"
    if min(statistics.counted(new), statistics.counted(base)) < LEAST_ROWS:
        return f"fewer than {LEAST_ROWS} values to compare"
    return None
