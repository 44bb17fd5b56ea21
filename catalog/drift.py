"""Drift as a contract bounds it: how far the columns of a version may move away from earlier versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST_SEASON: Final = 400
"""Most deliveries of a season: a year of days, and some that came twice."""


LEAST_HISTORY: Final = 4
"""Fewest deliveries of a history: three changes between them say what is usual."""
LONGEST_HISTORY: Final = 60
"""Most deliveries of a history: each is read where something moved."""


@dataclass(frozen=True)
class Drift:
    """The columns that are compared with the previous and the `pinned` version, and the bounds of a report.

    `warn` and `trigger` are Kullback-Leibler divergences in nats, `imbalance` is a share of rows. Without
    `columns` all are compared whose values are counted, but for the key, the one that orders drops, and
    those of `left_out`. `history` is how many earlier deliveries say what is usual, which is not reported
    (0: the bounds alone decide). `nulls` is the change of a share of NULL that is reported; None: none is.
    `season` is how many deliveries make a cycle; the columns of `calendar` are compared only with the
    delivery so many before.
    """

    columns: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()
    pinned: int = 1
    warn: float = 0.05
    trigger: float = 0.10
    imbalance: float = 0.80
    season: int | None = None
    calendar: tuple[str, ...] = ()
    history: int = 12
    nulls: float | None = 0.10
