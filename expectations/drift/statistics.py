"""How far two histograms lie apart, and whether chance explains it. Equal counts give equal results (P5).

Everything is computed from whole numbers, in sorted order, in Python's own floating point. scipy gives
p-values only.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from expectations.drift.histogram import Histogram

POOLED: Final = 10
"""Classes of about equal weight into which a column of numbers is pooled."""
PRIOR: Final = 0.5
"""Added to each count, so that no class is empty (Jeffreys' prior; Krichevsky and Trofimov 1981)."""
RARE: Final = 5
"""Classes with fewer expected rows on either side are pooled for the chi-squared test (Cochran 1954)."""

Counts = Sequence[int]
"""Rows by class; the two sides of a comparison name the same classes in the same order."""


def counted(histogram: Histogram) -> int:
    """The rows that have a value: all but those with NULL."""
    return histogram.rows - histogram.nulls


def kolmogorov_smirnov(new: Histogram, base: Histogram) -> tuple[float, float]:
    """The bounds of the two-sample Kolmogorov-Smirnov statistic D of the values themselves.

    Between bins both distribution functions are known. Within a bin they can lie further apart than at its
    ends, at most by its whole rise; not so in a bin of one value. NULL and NaN are left out. (Kolmogorov
    1933, Smirnov 1939.)
    """
    rows, others = sum(new.bins.values()), sum(base.bins.values())
    if not rows or not others:
        return 0.0, 0.0
    whole = new.kind == base.kind == "integer"
    held = new if whole else base if base.kind == "double" else new
    low = high = below = below_base = 0
    for code in sorted({*new.bins, *base.bins}):
        before, before_base = below * others, below_base * rows
        below, below_base = below + new.bins.get(code, 0), below_base + base.bins.get(code, 0)
        here, here_base = below * others, below_base * rows
        low = max(low, abs(here - here_base))
        least, greatest = held.span(code)
        if least < greatest:
            high = max(high, here - before_base, here_base - before)
    return low / (rows * others), max(low, high) / (rows * others)


def kolmogorov_p_value(distance: float, rows: int, others: int) -> float:
    """The chance of so great a D between samples of one distribution, by its limit (too great with ties)."""
    from scipy.special import kolmogorov

    if not rows or not others:
        return 1.0
    return float(kolmogorov(distance * math.sqrt(rows * others / (rows + others))))


def classes(new: Histogram, base: Histogram) -> tuple[list[int], list[int]]:
    """The same classes counted on both sides, in a fixed order.

    Texts and booleans: each value. Numbers: bins pooled at the quantiles of the baseline, so that each class
    holds about a tenth of it. A bin that holds a tenth by itself (zero, where most are zero; the only value
    of a constant) is a class of its own, so that values that move past it are seen. The first class and the
    last are open. NaN is a class.
    """
    if not base.numeric:
        names = sorted({*new.classes, *base.classes})
        return [new.classes.get(name, 0) for name in names], [base.classes.get(name, 0) for name in names]
    total, codes = sum(base.bins.values()), sorted(base.bins)
    upto = [0, *accumulate(base.bins[code] for code in codes)]
    starts = {
        code
        for code, before, after in zip(codes, upto, upto[1:], strict=False)
        if before and (after * POOLED - 1) // total > (before * POOLED - 1) // total
    }
    heavy = [code for code in codes if base.bins[code] * POOLED >= total]
    edges = sorted(starts.union(heavy, (code + 1 for code in heavy)))
    found = [[0] * (len(edges) + 1) for _ in range(2)]
    for pooled, side in zip(found, (new, base), strict=True):
        for code, rows in side.bins.items():
            pooled[bisect_right(edges, code)] += rows
    pairs = [pair for pair in zip(*found, strict=True) if any(pair)]
    if new.nan or base.nan:
        pairs.append((new.nan, base.nan))
    return [one for one, _ in pairs], [other for _, other in pairs]


def smoothed(counts: Counts) -> list[float]:
    """Shares of classes, none of them zero: a half is added to each count."""
    total = sum(counts) + PRIOR * len(counts)
    return [(count + PRIOR) / total for count in counts]


def kullback_leibler(new: Counts, base: Counts) -> float:
    """The Kullback-Leibler divergence (1951) of the new shares from the baseline's, smoothed, in nats."""
    pairs = zip(smoothed(new), smoothed(base), strict=True)
    return max(0.0, math.fsum(one * math.log(one / other) for one, other in pairs))


def jensen_shannon(new: Counts, base: Counts) -> float:
    """The Jensen-Shannon divergence (Lin 1991) in bits: 0 (the same) to 1 (no class in common)."""
    rows, others = sum(new), sum(base)
    if not rows or not others:
        return 0.0
    parts = []
    for one, other in zip((count / rows for count in new), (count / others for count in base), strict=True):
        middle = (one + other) / 2
        parts += [share * math.log2(share / middle) / 2 for share in (one, other) if share]
    return min(1.0, max(0.0, math.fsum(parts)))


def population_stability(new: Counts, base: Counts) -> float:
    """The population stability index: both Kullback-Leibler divergences of smoothed shares, added up."""
    pairs = zip(smoothed(new), smoothed(base), strict=True)
    return math.fsum((one - other) * math.log(one / other) for one, other in pairs)


def chi_squared(new: Counts, base: Counts) -> tuple[float, int]:
    """Pearson's statistic of homogeneity (1900) and its degrees of freedom, over classes with rows."""
    rows, others = sum(new), sum(base)
    pairs = [pair for pair in zip(new, base, strict=True) if any(pair)]
    if not rows or not others or len(pairs) <= 1:
        return 0.0, 0
    # Both sides' sum of (seen - expected)^2 / expected, in whole numbers but for one division a class.
    parts = [(one * others - other * rows) ** 2 / (one + other) for one, other in pairs]
    return math.fsum(parts) / (rows * others), len(pairs) - 1


def chi_squared_p_value(new: Counts, base: Counts) -> float:
    """The chance of so great a statistic between samples of one distribution; rare classes count as one."""
    from scipy.special import chdtrc

    statistic, freedom = chi_squared(*_without_rare(new, base))
    return float(chdtrc(freedom, statistic)) if freedom else 1.0


def cramers_v(new: Counts, base: Counts) -> float:
    """Cramer's V (1946), the size of a difference in shares: 0 (none) to 1 (no class in common)."""
    statistic, _ = chi_squared(new, base)
    return math.sqrt(statistic / (sum(new) + sum(base))) if statistic else 0.0


def proportions_p_value(part: int, rows: int, other_part: int, others: int) -> float:
    """The chance of shares so far apart in samples of one distribution (two-sided two-proportion z test)."""
    pooled = part + other_part
    if not rows or not others or pooled in (0, rows + others):
        return 1.0
    share = pooled / (rows + others)
    deviation = math.sqrt(share * (1 - share) * (1 / rows + 1 / others))
    return math.erfc(abs(part / rows - other_part / others) / deviation / math.sqrt(2))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number: the false discovery rate at which each counts (1995)."""
    corrected, least = [1.0] * len(p_values), 1.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, place in reversed(list(enumerate(order, 1))):
        least = min(least, p_values[place] * len(p_values) / rank)
        corrected[place] = least
    return corrected


def _without_rare(new: Counts, base: Counts) -> tuple[Counts, Counts]:
    rows, others = sum(new), sum(base)
    least = min(rows, others) / (rows + others) if rows + others else 0.0
    usual = [pair for pair in zip(new, base, strict=True) if sum(pair) * least >= RARE]
    rest = (rows - sum(one for one, _ in usual), others - sum(other for _, other in usual))
    sides = [*usual, rest]
    return [one for one, _ in sides], [other for _, other in sides]
