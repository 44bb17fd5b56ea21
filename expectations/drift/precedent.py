"""What a table's own past says of a change: whether it stands out from the changes before it, which a season or a wild column makes too.

A bound alone can't tell them: in a month of hourly temperatures every column of a healthy delivery lies over it. So the delivery is laid
beside each of the last ones; it stands out where even the nearest of them is further away than any of them was from all before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from expectations.drift.histogram import Histogram, Histograms, merge

LEAST_CHANGES: Final = 3
"""Earlier changes that say what is usual; with fewer only a great one is told."""
TIMES: Final = 3.0
"""How many times the greatest of the earlier changes a change has to be."""
SLOW_TIMES: Final = 2.0
"""The same of the distance from the pinned version, which a slow move makes greater with each version."""
EARLY_EFFECT: Final = 5.0
"""How many times its bound the effect has to be where nothing says what is usual: of classes, and of numbers that never varied."""
EARLY_APART: Final = 25.0
"""The same of numbers that vary: hardly a value is where it was."""
EARLY_SHIFT: Final = 3.0
"""Or else how many distances between their quartiles they have to be moved."""
QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)

FURTHEST: Final = 1e300
"""Infinity, where distances are taken."""

Effect = Callable[[Histogram, Histogram], float | None]
"""How far a column lies from an earlier one, by the rule's statistic; None where they can't be compared."""


@dataclass(frozen=True)
class Past:
    """The rows that earlier deliveries added, oldest first, each long enough to be compared. Asked only of what moved."""

    recent: Callable[[int], Sequence[Histograms]] = lambda _: ()
    """The last so many."""
    first: Callable[[int], Sequence[Histograms]] = lambda _: ()
    """The first so many after the pinned version; fewer where there are not that many yet."""
    seasons: Callable[[int], Sequence[tuple[Histograms, Histograms]]] = lambda _: ()
    """The last so many, each with that of a season before."""


@dataclass(frozen=True)
class Standing:
    """Whether a change stands out, and in words against what."""

    out: bool
    told: str


def among_recent(new: Histogram, before: Sequence[Histogram], effect: Effect, bound: float) -> Standing:
    """Whether a column is like none of its last deliveries: further from the nearest than they were from those before them."""
    others = [item for item in before if effect(new, item) is not None]
    nearest = _nearest(new, others, effect)
    if nearest is None:
        return Standing(out=False, told="no earlier delivery counted it")
    earlier = [
        found
        for place in range(1, len(others))
        if (found := _nearest(others[place], others[:place], effect)) is not None
    ]
    shifts, shift = _shifts(others), _shift_from(new, others)
    return _stands(
        nearest, shift, earlier, shifts, bound=bound, times=TIMES, told=f"the last {len(others)} deliveries"
    )


def among_first(
    new: Histogram, base: Histogram, before: Sequence[Histogram], effect: Effect, bound: float, *, least: int
) -> Standing | None:
    """Whether a column is far further from the pinned version than the first deliveries after it; None where these are not so many."""
    far = [(item, found) for item in before if (found := effect(item, base)) is not None]
    here = effect(new, base)
    if len(far) < least or here is None:
        return None
    scale = _scale([base, *(item for item, _ in far)])
    shifts = [_shift(item, base) / scale for item, _ in far] if scale else []
    shift = _shift(new, base) / scale if scale else 0.0
    told = f"the first {len(far)} after the pinned version"
    return _stands(here, shift, [found for _, found in far], shifts, bound=bound, times=SLOW_TIMES, told=told)


def among_seasons(
    new: Histogram,
    base: Histogram,
    pairs: Sequence[tuple[Histogram, Histogram]],
    effect: Effect,
    bound: float,
) -> Standing:
    """Whether a column is further from that of a season before than the last deliveries were from theirs."""
    far = [(one, other, found) for one, other in pairs if (found := effect(one, other)) is not None]
    here = effect(new, base) or 0.0
    scale = _scale([base, *(one for one, _, _ in far)])
    shifts = [_shift(one, other) / scale for one, other, _ in far] if scale else []
    shift = _shift(new, base) / scale if scale else 0.0
    told = f"the last {len(far)} deliveries from those a season before"
    return _stands(here, shift, [found for _, _, found in far], shifts, bound=bound, times=TIMES, told=told)


def usual_share(share: float, before: Sequence[float], *, bound: float) -> bool:
    """Whether a share of NULL is one that the column has now and then: no further from the nearest than they were from each other."""
    if len(before) <= LEAST_CHANGES:
        return min(abs(share - item) for item in before) <= EARLY_EFFECT * bound if before else False
    earlier = [min(abs(before[place] - item) for item in before[:place]) for place in range(1, len(before))]
    return min(abs(share - item) for item in before) <= max(bound, TIMES * max(earlier))


def _stands(
    effect: float,
    shift: float,
    earlier: Sequence[float],
    shifts: Sequence[float],
    *,
    bound: float,
    times: float,
    told: str,
) -> Standing:
    if len(earlier) < LEAST_CHANGES:
        out = shift > EARLY_SHIFT or effect > (EARLY_APART if shift else EARLY_EFFECT) * bound
        return Standing(
            out,
            f"{'far ' * out}{'over' if out else 'within'} what is told while there are few deliveries to say what is usual",
        )
    most, furthest = max(earlier), max(shifts, default=0.0)
    out = effect > bound and (effect > times * most or (bool(shifts) and shift > times * furthest))
    return Standing(out, f"at most {most:.4f} in {told}")


def _nearest(new: Histogram, others: Sequence[Histogram], effect: Effect) -> float | None:
    return min((found for item in others if (found := effect(new, item)) is not None), default=None)


def _shifts(others: Sequence[Histogram]) -> list[float]:
    """How far each lies from the nearest before it, in distances between the quartiles of them all."""
    if not (scale := _scale(others)):
        return []
    return [
        min(_shift(others[place], item) for item in others[:place]) / scale for place in range(1, len(others))
    ]


def _shift_from(new: Histogram, others: Sequence[Histogram]) -> float:
    scale = _scale(others)
    return min(_shift(new, item) for item in others) / scale if scale else 0.0


def _scale(several: Sequence[Histogram]) -> float:
    """The distance between the quartiles of all of them together, or between outer tenths where half of them is one value; 0 of classes."""
    if not several or not several[0].numeric:
        return 0.0
    low, first, _, third, high = quantiles(reduce(merge, several))
    return (third - first) or (high - low)


def _shift(one: Histogram, other: Histogram) -> float:
    """The furthest that a quantile moved."""
    return max(abs(here - there) for here, there in zip(quantiles(one), quantiles(other), strict=True))


def quantiles(histogram: Histogram) -> tuple[float, ...]:
    """The values of `QUANTILES`, each as the end of its bin that lies nearer to zero; zeros where there is no number."""
    codes = sorted(histogram.bins)
    total, upto, found = sum(histogram.bins.values()), 0, list[float]()
    for code in codes:
        upto += histogram.bins[code]
        while len(found) < len(QUANTILES) and upto >= QUANTILES[len(found)] * total:
            low, high = histogram.span(code)
            found.append(max(-FURTHEST, min(FURTHEST, low if code >= 0 else high)))
    return tuple(found) if found else (0.0,) * len(QUANTILES)
