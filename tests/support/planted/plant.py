"""A seeded fault injector: takes a clean table and gives it back with one kind of fault,
and exactly which rows were hit.

Each function takes rows (text, as delivered) and a source of chance, and gives a `Planted`.
Rows keep their places unless the fault itself moves them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tests.support.planted.rides import Row

HITS: Final = 12
"""Rows that most faults hit."""


@dataclass(frozen=True)
class Planted:
    """A dirty table, the record numbers (from 1) that a rule has to find,
    and how many things were planted.
    """

    rows: list[Row]
    hit: frozenset[int]
    planted: int


Fault = Callable[[list[Row], random.Random], Planted]


def plant(fault: Fault, rows: list[Row], seed: int) -> Planted:
    """A copy of the rows with a fault in it; the same seed plants the same."""
    return fault([dict(row) for row in rows], random.Random(seed))


def _change(
    rows: list[Row],
    chance: random.Random,
    column: str,
    value: Callable[[Row], str | None],
    among: list[int] | None = None,
) -> Planted:
    places = sorted(chance.sample(among or range(len(rows)), HITS))
    for place in places:
        rows[place][column] = value(rows[place])
    return Planted(rows, frozenset(place + 1 for place in places), HITS)


def _extras(rows: list[Row], chance: random.Random, *changes: Callable[[Any], object]) -> Planted:
    """Rows whose JSON is changed in one of these ways."""

    def changed(row: Row) -> str:
        extras = json.loads(str(row["extras"]))
        chance.choice(changes)(extras)
        return json.dumps(extras)

    return _change(rows, chance, "extras", changed)


def extra_field(rows: list[Row], chance: random.Random) -> Planted:
    """A nested field that nobody announced."""
    return _extras(rows, chance, lambda extras: extras["meal"].update(spice=1))


def lost_field(rows: list[Row], chance: random.Random) -> Planted:
    """A nested field that is gone, or null."""
    return _extras(rows, chance, lambda extras: extras.pop("seat"), lambda extras: extras.update(seat=None))


def field_as_text(rows: list[Row], chance: random.Random) -> Planted:
    """A nested number that comes as text, or with a fraction."""
    return _extras(
        rows,
        chance,
        lambda extras: extras.update(seat=str(extras["seat"])),
        lambda extras: extras.update(seat=1.0),
    )


def no_such_day(rows: list[Row], chance: random.Random) -> Planted:
    """A nested date that the calendar lacks, or of another style."""
    return _extras(
        rows,
        chance,
        lambda extras: extras["meal"].update(on="2023-02-29"),
        lambda extras: extras["meal"].update(on="20/01/2024"),
    )


def item_of_another_type(rows: list[Row], chance: random.Random) -> Planted:
    """A text among numbers."""
    return _extras(rows, chance, lambda extras: extras["bags"].append("heavy"))


def cut_off(rows: list[Row], chance: random.Random) -> Planted:
    """JSON that ends too early, goes on behind its end, or names a field twice."""
    ways: list[Callable[[str], str]] = [
        lambda text: text[:-1],
        lambda text: text + " x",
        lambda text: text[:-1] + ', "seat": 1}',
    ]
    return _change(rows, chance, "extras", lambda row: chance.choice(ways)(str(row["extras"])))


def _moved(text: str | None, **by: int) -> str:
    return (datetime.fromisoformat(str(text)) + timedelta(**by)).strftime("%Y-%m-%dT%H:%M:%SZ")


def repeat_keys_later(rows: list[Row], chance: random.Random) -> Planted:
    """Keys that come again at the end with another fare: the rows added are one too many."""
    first = len(rows)
    rows += [row | {"fare": f"{float(row['fare'] or 0) + 1:.1f}"} for row in chance.sample(rows, HITS)]
    return Planted(rows, frozenset(range(first + 1, len(rows) + 1)), HITS)


def repeat_keys_older(rows: list[Row], chance: random.Random) -> Planted:
    """Keys that come again at the end with an earlier time: by the time's order the later ones are those that
    stood there.
    """
    first = len(rows)
    rows += [
        row | {"ended": _moved(row["ended"], minutes=-30) if chance.random() < 0.5 else None}
        for row in chance.sample(rows, HITS)
    ]
    return Planted(rows, frozenset(range(first + 1, len(rows) + 1)), HITS)


def repeat_rows(rows: list[Row], chance: random.Random) -> Planted:
    """Whole rows that come again at places further on, with and without NULLs."""
    for row in chance.sample(rows, HITS):
        row["country"] = None
    first = len(rows)
    rows += [
        dict(row)
        for row in [*chance.sample(rows, HITS), *[row for row in rows if row["country"] is None][:3]]
    ]
    seen: set[tuple[str | None, ...]] = set()
    again = set()
    for number, row in enumerate(rows, 1):
        values = tuple(row.values())
        again |= {number} & {number if values in seen else 0}
        seen.add(values)
    return Planted(rows, frozenset(again), len(rows) - first)


def burst(rows: list[Row], chance: random.Random) -> Planted:
    """One ride sent forty times under new keys."""
    row = chance.choice(rows)
    rows += [row | {"ride": f"X{number}"} for number in range(39)]
    return Planted(rows, frozenset(), 40)


def leak_between_splits(rows: list[Row], chance: random.Random) -> Planted:
    """Rides of the training split that stand in the test split too."""
    train = [row for row in rows if row["split"] == "train"]
    rows += [row | {"split": "test"} for row in chance.sample(train, HITS)]
    return Planted(rows, frozenset(), HITS)


def from_the_future(rows: list[Row], chance: random.Random) -> Planted:
    """Rides that end after they were delivered."""
    return _change(rows, chance, "ended", lambda row: _moved(row["ended"], days=60))


def without_offset(rows: list[Row], chance: random.Random) -> Planted:
    """Times that don't say where their clock stands."""
    return _change(rows, chance, "hour", lambda row: str(row["hour"]).removesuffix("Z"))


def other_offset(rows: list[Row], chance: random.Random) -> Planted:
    """Times of another clock; the moments stay the same."""

    def local(row: Row) -> str:
        return _moved(row["hour"], hours=1).removesuffix("Z") + "+01:00"

    return _change(rows, chance, "hour", local)


def in_the_gap(rows: list[Row], chance: random.Random) -> Planted:
    """Local times that no clock in New York showed."""
    return _change(rows, chance, "hour", lambda _: f"2024-03-10T02:{chance.randrange(60):02}:00Z")


def in_the_fold(rows: list[Row], chance: random.Random) -> Planted:
    """Local times that clocks in New York showed twice."""
    return _change(rows, chance, "hour", lambda _: f"2013-11-03T01:{chance.randrange(60):02}:00Z")


def effect_before_cause(rows: list[Row], chance: random.Random) -> Planted:
    """Rides that end before they begin."""
    return _change(rows, chance, "ended", lambda row: _moved(row["hour"], minutes=-1))


def late(rows: list[Row], chance: random.Random) -> Planted:
    """Rides of a month before."""
    return _change(rows, chance, "hour", lambda row: _moved(row["hour"], days=-31))


def gaps(rows: list[Row], chance: random.Random) -> Planted:
    """Hours that are missing in a city, between its first and last."""
    gone = set(chance.sample(range(4, len(rows) - 4), HITS))
    return Planted([row for place, row in enumerate(rows) if place not in gone], frozenset(), HITS)


def unknown_pair(rows: list[Row], chance: random.Random) -> Planted:
    """Stops that their city doesn't have."""
    return _change(rows, chance, "stop", lambda _: "9")


def two_countries(rows: list[Row], chance: random.Random) -> Planted:
    """One city in two countries: every row of that city contradicts another."""
    city = chance.choice(["Aarhus", "Bergen"])
    own = [place for place, row in enumerate(rows) if row["city"] == city]
    _change(rows, chance, "country", lambda _: "XX", own)
    return Planted(rows, frozenset(place + 1 for place in own), HITS)


def wrong_country(rows: list[Row], chance: random.Random) -> Planted:
    """Rows that say another country of their city than the reference does."""
    return _change(rows, chance, "country", lambda _: "XX")


def lost_rows(rows: list[Row], chance: random.Random) -> Planted:
    """Rides that two cities lack, though the source's totals count them."""
    own = [place for place, row in enumerate(rows) if row["city"] in ("Aarhus", "Bergen")]
    gone = {own[0], own[1], *chance.sample(own, 3)}
    return Planted([row for place, row in enumerate(rows) if place not in gone], frozenset(), 2)
