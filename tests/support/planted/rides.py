"""A clean table to plant faults into: hourly rides of four cities,
as the text that a source would deliver.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from catalog.contract import Column, Contract, Relationship
from catalog.nested import Nested
from expectations.typed_frame import nested_marker
from lake.parsing.fast_typing import part_plain
from lake.parsing.json_checks import judge_nested

Row = dict[str, str | None]

CITIES: Final = {"Aarhus": "DK", "Bergen": "NO", "Cork": "IE", "Delft": "NL"}
HOURS: Final = 60
START: Final = datetime(2024, 1, 20, tzinfo=UTC)
DELIVERED: Final = "2024-01-31T00:00:00+00:00"
EXTRAS: Final = Nested(
    "object",
    fields=(
        ("seat", Nested("integer", required=True)),
        (
            "meal",
            Nested("object", fields=(("kind", Nested("string", required=True)), ("on", Nested("date")))),
        ),
        ("bags", Nested("array", items=Nested("number", required=True))),
    ),
)
COLUMNS: Final = (
    Column("ride", "string", required=True),
    Column("city", "string"),
    Column("country", "string"),
    Column("stop", "integer"),
    Column("hour", "timestamp"),
    Column("ended", "timestamp"),
    Column("booked", "date", format="dd/MM/yyyy"),
    Column("fare", "double"),
    Column("kind", "string"),
    Column("split", "string"),
    Column("rider", "string", classification="personal"),
    Column("extras", "string", nested=EXTRAS),
)
CONTRACT: Final = Contract(
    name="rides",
    kind="dataset",
    path=Path("rides.odcs.yaml"),
    hash="",
    columns=COLUMNS,
    key=("ride",),
    write_mode="append",
    relationships=(Relationship(("city", "stop"), "stops", ("city", "stop"), "quarantine"),),
)
KINDS: Final = ("single", "return", "pass")


def clean(seed: int) -> list[Row]:
    """One ride an hour in each city, in a fixed order; nothing in it breaks a rule of these tests."""
    chance = random.Random(seed)
    rows: list[Row] = []
    for number in range(HOURS):
        hour = START + timedelta(hours=number)
        for city, country in CITIES.items():
            ride = f"{city[0]}{number:03}"
            booked = hour - timedelta(days=1 + chance.randrange(2))
            rows.append(
                {
                    "ride": ride,
                    "city": city,
                    "country": country,
                    "stop": str(chance.randrange(1, 4)),
                    "hour": hour.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "ended": (hour + timedelta(minutes=chance.randrange(1, 50))).strftime(
                        "%Y-%m-%dT%H:%M:%SZ"
                    ),
                    "booked": booked.strftime("%d/%m/%Y"),
                    "fare": f"{chance.randrange(2000, 9000) / 2:.1f}",
                    "kind": chance.choice(KINDS),
                    "split": "test" if number % 5 == 0 else "train",
                    "rider": f"rider {chance.randrange(10**6)}",
                    "extras": json.dumps(
                        {"seat": number, "bags": [1, 2.5], "meal": {"kind": "soup", "on": f"{hour:%Y-%m-%d}"}}
                    ),
                }
            )
    return rows


def staged(rows: list[Row]) -> pa.Table:
    """Rows as a staging file holds them: text and plain values, and record numbers from 1."""
    schema = pa.schema(
        [*((column.name, pa.string()) for column in COLUMNS), ("_row", pa.int64()), ("_record", pa.string())]
    )
    table = pa.Table.from_pylist(
        [row | {"_row": number, "_record": ""} for number, row in enumerate(rows, 1)], schema
    )
    table = table.append_column(nested_marker("extras"), judge_nested(table.column("extras"), EXTRAS))
    return part_plain(table, [(column.name, column.type) for column in COLUMNS if column.plain])


def stops() -> pa.Table:
    """The reference of stops: each city's three, and what country it lies in; of one city it doesn't know."""
    rows = [
        {"city": city, "stop": stop, "land": country}
        for city, country in (CITIES | {"Quay": None}).items()
        for stop in (1, 2, 3)
    ]
    return pa.Table.from_pylist(
        rows, pa.schema([("city", pa.string()), ("stop", pa.int64()), ("land", pa.string())])
    )


def takings(rows: list[Row]) -> pa.Table:
    """What the source says that each city took, and how many rides: totals of a clean table."""
    sums: dict[str, Any] = {city: {"town": city, "total": 0.0, "stops": 0} for city in CITIES}
    for row in rows:
        sums[str(row["city"])]["total"] += float(row["fare"] or 0)
        sums[str(row["city"])]["stops"] += int(row["stop"] or 0)
    return pa.Table.from_pylist(
        list(sums.values()),
        pa.schema([("town", pa.string()), ("total", pa.float64()), ("stops", pa.int64())]),
    )
