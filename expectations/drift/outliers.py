"""Outliers by a column's histogram: its fences lie in known bounds, so some values are perhaps outliers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from expectations.drift.histogram import HUGE, Histogram

Method = Literal["iqr", "zscore"]
FACTORS: Final[dict[str, float]] = {"iqr": 1.5, "zscore": 3.0}
"""Tukey's fence (1977); three standard deviations."""

Bounds = tuple[float, float]


@dataclass(frozen=True)
class Fences:
    """The bounds of the lower and the upper fence. Values beyond the fences are outliers."""

    lower: Bounds
    upper: Bounds

    def surely_out(self, span: Bounds) -> bool:
        """Whether every value of a bin is an outlier, wherever in their bounds the fences lie."""
        return span[0] > self.upper[1] or span[1] < self.lower[0]

    def perhaps_out(self, span: Bounds) -> bool:
        """Whether some value of a bin can be one."""
        return span[1] > self.upper[0] or span[0] < self.lower[1]


def fences(histogram: Histogram, method: Method, factor: float) -> Fences | None:
    """The fences of a column of numbers, from its quantiles or its mean and deviation; None of no numbers.

    A quartile is the least value that a quarter (three quarters) of the numbers don't exceed: it lies in a
    known bin. The mean of values known to half a bin lies within the mean half width of that of the bins'
    middles; the deviation, within the root mean square half width (Minkowski's inequality). Infinite numbers
    and those of 2^62 and more are left out of both.
    """
    finite = sorted(code for code in histogram.bins if abs(code) < HUGE)
    counts = [(histogram.span(code), histogram.bins[code]) for code in finite]
    total = sum(rows for _, rows in counts)
    if not total:
        return None
    if method == "iqr":
        first, third = _quantile(counts, total, 1), _quantile(counts, total, 3)
        least, most = factor * (third[0] - first[1]), factor * (third[1] - first[0])
        least = max(least, 0.0)
        return Fences((first[0] - most, first[1] - least), (third[0] + least, third[1] + most))
    middles = [((low + high) / 2, (high - low) / 2, rows) for (low, high), rows in counts]
    mean = math.fsum(middle * rows for middle, _, rows in middles) / total
    unsure = math.fsum(half * rows for _, half, rows in middles) / total
    deviation = math.sqrt(math.fsum((middle - mean) ** 2 * rows for middle, _, rows in middles) / total)
    spread = math.sqrt(math.fsum(half * half * rows for _, half, rows in middles) / total)
    least, most = factor * max(deviation - spread, 0.0), factor * (deviation + spread)
    low, high = mean - unsure, mean + unsure
    return Fences((low - most, high - least), (low + least, high + most))


def outlier_shares(histogram: Histogram, method: Method, factor: float) -> Bounds:
    """The least and the greatest that the share of outliers can be, of the values that are numbers."""
    found, total = fences(histogram, method, factor), sum(histogram.bins.values())
    if not total:
        return 0.0, 0.0
    sure = perhaps = 0
    for code, rows in histogram.bins.items():
        beyond = found is None or abs(code) >= HUGE
        sure += rows * (beyond or (found is not None and found.surely_out(histogram.span(code))))
        perhaps += rows * (beyond or (found is not None and found.perhaps_out(histogram.span(code))))
    return sure / total, perhaps / total


def _quantile(counts: list[tuple[Bounds, int]], total: int, quarters: int) -> Bounds:
    upto = 0
    for span, rows in counts:
        upto += rows
        if upto * 4 >= total * quarters:
            return span
    return counts[-1][0]
