"""Faults of a whole drop: a seeded source of trips whose distributions are known,
and what can go wrong with them, by any amount.

Numbers are plain arrays in which NaN stands for a missing value; texts are arrays of text.
Each fault takes a drop, a source of chance and its size, changes one column and says which.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from catalog.contract import Column, Contract
from expectations.drift.histogram import HUGE, PARTS, REACH, TINY, Histogram, Histograms, kind_of

Drop = dict[str, Any]
Fault = Callable[[Drop, np.random.Generator, float], str]

COLUMNS: Final = (
    Column("minutes", "integer"),
    Column("fare", "double"),
    Column("stops", "integer"),
    Column("kind", "string"),
    Column("city", "string"),
    Column("paid", "boolean"),
)
CONTRACT: Final = Contract(
    name="trips",
    kind="dataset",
    path=Path("trips.odcs.yaml"),
    hash="",
    columns=COLUMNS,
    key=("stops",),
    write_mode="append",
)
KINDS: Final = {"single": 0.4, "return": 0.3, "pass": 0.15, "group": 0.1, "night": 0.05}
CITIES: Final = [f"city {number}" for number in range(30)]
FARE, SPREAD = 100.0, 15.0
MISSING: Final = 0.05
"""The share of trips whose minutes are missing."""


def clean(chance: np.random.Generator, rows: int) -> Drop:
    """A drop of the source as it should be; no two are alike, and all come of the same distributions."""
    ranks = 1 / np.arange(1, len(CITIES) + 1)
    minutes = np.round(np.exp(chance.normal(4.6, 0.6, rows)))
    minutes[chance.random(rows) < MISSING] = np.nan
    return {
        "minutes": minutes,
        "fare": chance.normal(FARE, SPREAD, rows),
        "stops": chance.poisson(2, rows).astype(float),
        "kind": chance.choice(list(KINDS), rows, p=list(KINDS.values())),
        "city": chance.choice(CITIES, rows, p=ranks / ranks.sum()),
        "paid": np.where(chance.random(rows) < 0.7, "true", "false"),
    }


def _some(drop: Drop, chance: np.random.Generator, share: float) -> np.ndarray[Any, Any]:
    """Places of this share of the rows, to the row."""
    rows = len(drop["fare"])
    return chance.permutation(rows)[: round(share * rows)]


def other_unit(drop: Drop, chance: np.random.Generator, share: float) -> str:
    """Minutes that come as seconds, in this share of the rows."""
    drop["minutes"][_some(drop, chance, share)] *= 60
    return "minutes"


def moved(drop: Drop, _: np.random.Generator, deviations: float) -> str:
    """A mean that moves by this many standard deviations."""
    drop["fare"] += deviations * SPREAD
    return "fare"


def widened(drop: Drop, _: np.random.Generator, times: float) -> str:
    """A spread that is this many times what it was, around the same mean."""
    drop["fare"] = FARE + (drop["fare"] - FARE) * times
    return "fare"


def taken_over(drop: Drop, chance: np.random.Generator, share: float) -> str:
    """One kind of trip that this share of the rows turn to."""
    drop["kind"][_some(drop, chance, share)] = "single"
    return "kind"


def turned_rare(drop: Drop, chance: np.random.Generator, share: float) -> str:
    """The rarest kind of trip, which this share of the rows turn to."""
    drop["kind"][_some(drop, chance, share)] = "night"
    return "kind"


def renamed(drop: Drop, _: np.random.Generator, share: float) -> str:
    """The kind of trip that had this share is called otherwise."""
    (old,) = (kind for kind, usual in KINDS.items() if usual == share)
    drop["kind"][drop["kind"] == old] = "OTHER"
    return "kind"


def lost(drop: Drop, chance: np.random.Generator, share: float) -> str:
    """Minutes that are missing in this share of the rows that had them:
    all of them come with a decimal comma, say.
    """
    there = np.flatnonzero(~np.isnan(drop["minutes"]))
    drop["minutes"][chance.permutation(there)[: round(share * len(there))]] = np.nan
    return "minutes"


def far_out(drop: Drop, chance: np.random.Generator, share: float) -> str:
    """Fares between 50 and 150 all, but for this share of the rows: those are ten times that."""
    drop["fare"] = chance.uniform(50, 150, len(drop["fare"]))
    drop["fare"][_some(drop, chance, share)] = 1000 + chance.random()
    return "fare"


def bins(values: np.ndarray[Any, Any]) -> dict[int, int]:
    """The bins of ordinary numbers, as `expectations.drift.histogram.code_of` gives them one by one."""
    fraction, exponent = np.frexp(np.abs(values))
    codes = (
        (exponent.astype(np.int64) - 1 + REACH) * PARTS
        + np.floor((2 * fraction - 1) * PARTS).astype(np.int64)
        + TINY
        + 1
    )
    codes = np.where(values == 0, 0, codes) * np.sign(values).astype(np.int64)
    assert not len(codes) or np.abs(codes).max() < HUGE
    found, counts = np.unique(codes, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def histogram(name: str, values: np.ndarray[Any, Any]) -> Histogram:
    """One column of a drop, counted."""
    kind = kind_of(CONTRACT.column(name))
    if kind == "class":
        found, counts = np.unique(values, return_counts=True)
        return Histogram(kind, len(values), classes=dict(zip(found.tolist(), counts.tolist(), strict=True)))
    there = values[~np.isnan(values)]
    return Histogram(kind, len(values), len(values) - len(there), bins=bins(there))


def counted(drop: Drop) -> Histograms:
    """The histograms of a drop."""
    return Histograms(len(drop["fare"]), {name: histogram(name, values) for name, values in drop.items()})


def faulty(
    drop: Drop, seen: Histograms, fault: Fault, chance: np.random.Generator, size: float
) -> tuple[str, Histograms]:
    """The column that a fault hit, and what is counted of the drop then; the drop itself stays as it is."""
    changed = {name: values.copy() for name, values in drop.items()}
    name = fault(changed, chance, size)
    return name, Histograms(seen.rows, {**seen.columns, name: histogram(name, changed[name])})
