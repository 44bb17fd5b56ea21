"""Faults of values: another style, unit or category, values that are lost, and outliers."""

from __future__ import annotations

import random
from typing import Final

from tests.support.planted.plant import Planted
from tests.support.planted.rides import KINDS, Row


def american_dates(rows: list[Row], chance: random.Random) -> Planted:
    """The source turns day and month round from some row on, without notice."""
    since = chance.randrange(60, 100)
    for row in rows[since:]:
        day, month, year = str(row["booked"]).split("/")
        row["booked"] = f"{month}/{day}/{year}"
    return Planted(rows, frozenset(range(since + 1, len(rows) + 1)), len(rows) - since)


def decimal_comma(rows: list[Row], chance: random.Random) -> Planted:
    """The source writes its fares with a comma from some row on."""
    since = chance.randrange(60, 100)
    for row in rows[since:]:
        row["fare"] = str(row["fare"]).replace(".", ",")
    return Planted(rows, frozenset(range(since + 1, len(rows) + 1)), len(rows) - since)


def thousands_point(rows: list[Row], chance: random.Random) -> Planted:
    """The source groups thousands by a point, and leaves the fraction out: 4321.0 is 4.321, which parses."""
    since = chance.randrange(60, 100)
    for row in rows[since:]:
        row["fare"] = f"{round(float(row['fare'] or 0)) / 1000:.3f}"
    return Planted(rows, frozenset(range(since + 1, len(rows) + 1)), len(rows) - since)


def renamed_category(rows: list[Row], chance: random.Random) -> Planted:
    """The source calls a kind of ride otherwise from some row on."""
    since, old = chance.randrange(60, 100), chance.choice(KINDS)
    hit = [place for place, row in enumerate(rows) if place >= since and row["kind"] == old]
    for place in hit:
        rows[place]["kind"] = old.upper()
    return Planted(rows, frozenset(place + 1 for place in hit), len(hit))


def other_unit(rows: list[Row], _: random.Random) -> Planted:
    """The whole drop's fares come in another unit: 60 to one, as seconds to a minute."""
    for row in rows:
        row["fare"] = f"{float(row['fare'] or 0) * 60:.1f}"
    return Planted(rows, frozenset(range(1, len(rows) + 1)), len(rows))


def lost_values(rows: list[Row], chance: random.Random) -> Planted:
    """A quarter of the fares are missing."""
    places = chance.sample(range(len(rows)), len(rows) // 4)
    for place in places:
        rows[place]["fare"] = None
    return Planted(rows, frozenset(place + 1 for place in places), len(places))


def taken_over(rows: list[Row], chance: random.Random) -> Planted:
    """Nine rides of ten are of one kind."""
    places = chance.sample(range(len(rows)), len(rows) * 9 // 10)
    for place in places:
        rows[place]["kind"] = KINDS[0]
    return Planted(rows, frozenset(place + 1 for place in places), len(places))


OUTLIERS: Final = 24


def _outliers(rows: list[Row], chance: random.Random, shared: dict[str, str | None]) -> Planted:
    first, cities = len(rows), sorted({str(row["city"]) for row in rows})
    for number, row in enumerate(chance.sample(rows, OUTLIERS)):
        spread = {
            "ride": f"Y{number}",
            "city": cities[number % len(cities)],
            "rider": f"stranger {number}",
            "fare": "90000.0",
        }
        rows.append(row | spread | shared)
    return Planted(rows, frozenset(range(first + 1, len(rows) + 1)), OUTLIERS)


def outliers_here_and_there(rows: list[Row], chance: random.Random) -> Planted:
    """Fares twenty times too great, each in an hour, of a city and a rider of its own."""
    return _outliers(rows, chance, {})


def outliers_of_an_hour(rows: list[Row], chance: random.Random) -> Planted:
    """The same within one hour."""
    return _outliers(rows, chance, {"hour": chance.choice(rows)["hour"]})


def outliers_of_a_city(rows: list[Row], chance: random.Random) -> Planted:
    """The same in one city."""
    return _outliers(rows, chance, {"city": chance.choice(rows)["city"]})


def outliers_of_a_rider(rows: list[Row], chance: random.Random) -> Planted:
    """The same of one rider."""
    return _outliers(rows, chance, {"rider": chance.choice(rows)["rider"]})
