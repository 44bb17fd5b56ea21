"""Faults of whole deliveries, each in one column of a real series: what goes wrong in exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.drift.monthly import Drop, Values

Change = Callable[[Values, np.random.Generator], Values]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a column, and in which series it is planted."""

    name: str
    series: str
    column: str
    change: Change


def plant(fault: Fault, drop: Drop, chance: np.random.Generator) -> Drop:
    """The drop with the fault in it; the drop itself stays as it is."""
    return {**drop, fault.column: fault.change(drop[fault.column].copy(), chance)}


def times(factor: float) -> Change:
    """Another unit, or a decimal point that moved."""
    return lambda values, _: np.round(values * factor, 3)


def flooded(value: float, share: float) -> Change:
    """A default value in a share of the rows."""

    def change(values: Values, chance: np.random.Generator) -> Values:
        values[chance.permutation(len(values))[: round(share * len(values))]] = value
        return values

    return change


def shuffled_in(share: float, factor: float) -> Change:
    """Another unit in a share of the rows: one of several senders changed."""

    def change(values: Values, chance: np.random.Generator) -> Values:
        values[chance.permutation(len(values))[: round(share * len(values))]] *= factor
        return values

    return change


def renamed(old: str, new: str) -> Change:
    """A class under another name."""
    return lambda values, _: np.array([new if value == old else value for value in values], dtype=object)


def written(change: Callable[[str], str]) -> Change:
    """Each text written otherwise."""
    return lambda values, _: np.array(
        [None if value is None else change(value) for value in values], dtype=object
    )


def instead(old: str, new: str) -> Change:
    """Rows of a class that come under another: the class is lost."""
    return renamed(old, new)


FAULTS: Final = (
    Fault("minutes come as seconds", "flights", "dep_delay", times(60)),
    Fault("miles come as kilometres", "flights", "distance", times(1.609)),
    Fault("minutes come as hours", "flights", "air_time", times(1 / 60)),
    Fault("a decimal point moved", "flights", "air_time", times(10)),
    Fault("a third of the rows in another unit", "flights", "air_time", shuffled_in(1 / 3, 60)),
    Fault("the sign is turned", "flights", "arr_delay", times(-1)),
    Fault("one value in every row", "flights", "distance", lambda values, _: np.full(len(values), 733.0)),
    Fault("a default in 30% of the rows", "flights", "arr_delay", flooded(-999, 0.3)),
    Fault(
        "early departures cut off at zero", "flights", "dep_delay", lambda values, _: np.maximum(values, 0)
    ),
    Fault("values capped", "flights", "air_time", lambda values, _: np.minimum(values, 100)),
    Fault("the clock is five hours off", "flights", "hour", lambda values, _: (values + 5) % 24),
    Fault("minutes cut from the time", "flights", "minute", lambda values, _: values * 0),
    Fault("codes cut to one letter", "flights", "carrier", written(lambda text: text[:1])),
    Fault("codes in lower case", "flights", "dest", written(str.lower)),
    Fault("a class renamed", "flights", "carrier", renamed("UA", "United")),
    Fault("a class lost", "flights", "origin", instead("LGA", "JFK")),
    Fault("hectopascal come as pascal", "weather of JFK", "pressure", times(100)),
    Fault("miles an hour come as metres a second", "weather of JFK", "wind_speed", times(0.447)),
    Fault("percent come as a share", "weather of JFK", "humid", times(0.01)),
)
NULLS: Final = (
    Fault("NULL in every row", "flights", "air_time", lambda values, _: np.full(len(values), np.nan)),
    Fault("NULL in 40% of the rows", "flights", "dep_time", flooded(np.nan, 0.4)),
    Fault(
        "texts NULL in every row",
        "flights",
        "dest",
        lambda values, _: np.full(len(values), None, dtype=object),
    ),
)
"""Three that no default found before there was the rule `nulls`."""
