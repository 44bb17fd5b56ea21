"""Histograms of a table's deliveries, and what a contract with drift finds in them."""

from __future__ import annotations

import numpy as np

from catalog.contract import Column
from expectations.drift.histogram import Histogram, Histograms, code_of
from tests.support.catalog.contracts import things

CONTRACT = things(
    Column("id", "integer"),
    Column("size", "double"),
    Column("group", "string"),
    Column("seen", "date"),
)
ROWS = 1000


def drop(
    mean: float, seed: int, *, spread: float = 5.0, nulls: int = 0, groups: str = "aab", rows: int = ROWS
) -> Histograms:
    """A delivery whose sizes are normal around a mean; so many of its dates are NULL."""
    bins: dict[int, int] = {}
    for value in np.random.default_rng(seed).normal(mean, spread, rows):
        bins[code_of(float(value))] = bins.get(code_of(float(value)), 0) + 1
    classes = {name: groups.count(name) * rows // len(groups) for name in sorted(set(groups))}
    columns = {
        "size": Histogram("double", rows, bins=bins),
        "group": Histogram("class", sum(classes.values()), classes=classes),
        "seen": Histogram("presence", rows, nulls=nulls),
    }
    return Histograms(rows, columns)
