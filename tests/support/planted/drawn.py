"""Rows that are drawn from pools of clean and odd values."""

from __future__ import annotations

import random
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.support.planted.rides import CITIES, Row

EXAMPLES: Final = settings(
    max_examples=4,
    derandomize=True,
    phases=[Phase.generate],  # to look for a smaller example would ask the engine for minutes
    suppress_health_check=[HealthCheck.too_slow],
)
HOURS = [
    "2024-01-20T10:00:00Z",
    "2024-01-20T11:00:00+01:00",
    "2024-01-20 12:00:00",
    "2024-03-10T02:30:00Z",
    "2013-11-03T01:30:00Z",
    None,
]
DIRTY: Final = 0.06
"""The part of the values that are drawn from these pools, and of the rows that are copies."""
POOLS: Final[dict[str, list[str | None]]] = {
    "ride": ["A1", "A2", "A3", "é", None],
    "city": ["Aarhus", "Cork", "Nowhere", None],
    "country": ["DK", "IE", "XX", None],
    "stop": ["1", "2", "9", "one", None],
    "hour": HOURS,
    "ended": ["2024-01-20T10:30:00Z", "2024-01-20T12:30:00Z", "2024-06-01T00:00:00Z", None],
    "booked": ["19/01/2024", "01/19/2024", None],
    "fare": ["1", "2.5", "NaN", "0.0", "-0.0", "1,5", "inf", None],
    "kind": ["single", "SINGLE", None],
    "split": ["train", "test", None],
    "rider": ["a", None],
}


def drawn(seed: int) -> list[Row]:
    """Rows of which about half are as they should be; each seed gives others."""
    chance = random.Random(seed)
    rows: list[Row] = []
    for _ in range(chance.randrange(20, 60)):
        city, country = chance.choice(list(CITIES.items()))
        row = {name: pool[0] for name, pool in POOLS.items()} | {
            "ride": f"A{chance.randrange(12)}",
            "city": city,
            "country": country,
        }
        row |= {
            "stop": chance.choice("123"),
            "fare": str(chance.randrange(3, 99) / 2),
            "ended": chance.choice(POOLS["ended"][:2]),
        }
        row |= {name: chance.choice(pool) for name, pool in POOLS.items() if chance.random() < DIRTY}
        rows.append(dict(chance.choice(rows)) if rows and chance.random() < DIRTY else row)
    return rows


ROWS = st.integers(0, 2**32).map(drawn)

PUBLISHED: Row = {name: pool[0] for name, pool in POOLS.items()} | {"ride": "published", "fare": "77"}
ODD: Row = PUBLISHED | {"fare": "inf", "ended": "2024-06-01T00:00:00Z", "hour": "2013-11-03T01:30:00Z"}
"""A row that breaks what few others do."""
