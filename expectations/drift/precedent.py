"""Whether a change is unusual for its table, beside earlier changes, which seasons cause too.

A bound alone can't tell: in a month of hourly temperatures every column of a healthy delivery lies over it.
So the delivery is compared with each of the last ones. It is unusual where even the nearest of them is
further away than any of them was from all before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Final, TypeVar

from expectations.drift.histogram import Histogram, Histograms, merge

T = TypeVar("T")

LEAST_CHANGES: Final = 3
"""Earlier changes that show what is usual; with fewer only a great change is unusual."""
TIMES: Final = 3.0
"""How many times the greatest of the earlier changes a change has to be."""
SLOW_TIMES: Final = 2.0
"""The same for the distance from the pinned version, which a slow move makes greater with each version."""
EARLY_EFFECT: Final = 5.0
"""Without enough earlier changes: how many times its bound the effect of classes or constants has to be."""
EARLY_APART: Final = 25.0
"""The same for numbers that vary: hardly a value is where it was."""
EARLY_SHIFT: Final = 3.0
"""Or else how many distances between their quartiles they have to be moved."""
QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)

FURTHEST: Final = 1e300
"""Infinity, where distances are taken."""

Effect = Callable[[Histogram, Histogram], float]
"""How far a column lies from an earlier one, by the rule's statistic."""


@dataclass(frozen=True)
class Past:
    """The rows that earlier deliveries added, oldest first. They are read only for a column that moved."""

    recent: Callable[[int], Sequence[Histograms]] = lambda _: ()
    """The last so many."""
    first: Callable[[int], Sequence[Histograms]] = lambda _: ()
    """The first so many after the pinned version; fewer where there are not that many yet."""
    seasons: Callable[[int], Sequence[tuple[Histograms, Histograms]]] = lambda _: ()
    """The last so many, each with that of a season before."""


@dataclass(frozen=True)
class PastComparison:
    """Whether a change is unusual, and in words compared with what."""

    unusual: bool
    words: str


def among_recent(new: Histogram, before: Sequence[Histogram], effect: Effect, bound: float) -> PastComparison:
    """Whether a column is like none of its last deliveries: further away than they were from each other."""
    if not before:
        return PastComparison(unusual=False, words="no earlier delivery counted it")
    *earlier, here = _nearest_before([*before, new], effect)
    *shifts, shift = _nearest_before([*before, new], partial(_shift, scale=_scale(before)))
    words = f"the last {len(before)} deliveries"
    return _compare(here, shift, earlier, shifts, bound=bound, times=TIMES, words=words)


def among_first(
    new: Histogram, base: Histogram, before: Sequence[Histogram], effect: Effect, bound: float
) -> PastComparison:
    """Whether a column is far further from the pinned version than the first deliveries after it were."""
    words = f"the first {len(before)} after the pinned version"
    pairs = [(item, base) for item in before]
    return _among_pairs(new, base, pairs, effect, bound=bound, times=SLOW_TIMES, words=words)


def among_seasons(
    new: Histogram,
    base: Histogram,
    pairs: Sequence[tuple[Histogram, Histogram]],
    effect: Effect,
    bound: float,
) -> PastComparison:
    """Whether a column is further from that of a season before than the last deliveries were from theirs."""
    words = f"the last {len(pairs)} deliveries from those a season before"
    return _among_pairs(new, base, pairs, effect, bound=bound, times=TIMES, words=words)


def usual_share(share: float, before: Sequence[float], *, bound: float) -> bool:
    """Whether a column has such a share of NULL now and then: as near to one as they were to each other."""
    if not before:
        return False
    *earlier, here = _nearest_before([*before, share], lambda one, other: abs(one - other))
    if len(earlier) < LEAST_CHANGES:
        return here <= EARLY_EFFECT * bound
    return here <= max(bound, TIMES * max(earlier))


def _among_pairs(
    new: Histogram,
    base: Histogram,
    pairs: Sequence[tuple[Histogram, Histogram]],
    effect: Effect,
    *,
    bound: float,
    times: float,
    words: str,
) -> PastComparison:
    shift = partial(_shift, scale=_scale([base, *(one for one, _ in pairs)]))
    earlier, shifts = [effect(*pair) for pair in pairs], [shift(*pair) for pair in pairs]
    here, moved = effect(new, base), shift(new, base)
    return _compare(here, moved, earlier, shifts, bound=bound, times=times, words=words)


def _compare(
    effect: float,
    shift: float,
    earlier: Sequence[float],
    shifts: Sequence[float],
    *,
    bound: float,
    times: float,
    words: str,
) -> PastComparison:
    if len(earlier) < LEAST_CHANGES:
        unusual = shift > EARLY_SHIFT or effect > (EARLY_APART if shift else EARLY_EFFECT) * bound
        where = "far over" if unusual else "within"
        why = "what is reported while there are few deliveries to say what is usual"
        return PastComparison(unusual, f"{where} {why}")
    unusual = effect > bound and (effect > times * max(earlier) or shift > times * max(shifts))
    return PastComparison(unusual, f"at most {max(earlier):.4f} in {words}")


def _nearest_before(items: Sequence[T], distance: Callable[[T, T], float]) -> list[float]:
    """How far each item but the first lies from the nearest of those before it."""
    return [min(distance(items[at], other) for other in items[:at]) for at in range(1, len(items))]


def _scale(several: Sequence[Histogram]) -> float:
    """The distance between the quartiles of all histograms together; 0 for classes.

    Where half of all numbers are one value, it is the distance between the outer tenths.
    """
    if not several[0].numeric:
        return 0.0
    low, first, _, third, high = quantiles(reduce(merge, several))
    return (third - first) or (high - low)


def _shift(one: Histogram, other: Histogram, *, scale: float) -> float:
    """The furthest that a quantile moved, as a multiple of the scale; 0 without a scale."""
    if not scale:
        return 0.0
    pairs = zip(quantiles(one), quantiles(other), strict=True)
    return max(abs(here - there) for here, there in pairs) / scale


def quantiles(histogram: Histogram) -> tuple[float, ...]:
    """The values of `QUANTILES`, each as the end of its bin that is nearer to zero; zeros without numbers."""
    codes = sorted(histogram.bins)
    total, upto, found = sum(histogram.bins.values()), 0, list[float]()
    for code in codes:
        upto += histogram.bins[code]
        while len(found) < len(QUANTILES) and upto >= QUANTILES[len(found)] * total:
            low, high = histogram.span(code)
            found.append(max(-FURTHEST, min(FURTHEST, low if code >= 0 else high)))
    return tuple(found) if found else (0.0,) * len(QUANTILES)
