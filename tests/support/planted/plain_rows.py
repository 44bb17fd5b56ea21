"""Plain rows, each with one change."""

from __future__ import annotations

from typing import Final

from tests.support.planted.rides import Row

PLAIN: Final[Row] = {
    "ride": "A000",
    "city": "Aarhus",
    "country": "DK",
    "stop": "1",
    "hour": "2024-01-20T10:00:00Z",
    "ended": "2024-01-20T10:30:00Z",
    "booked": "19/01/2024",
    "fare": "5.0",
    "kind": "single",
    "split": "train",
    "rider": "a",
}


def rows(*changes: dict[str, str | None]) -> list[Row]:
    """A plain row with each of the changes, each row with a key of its own."""
    return [PLAIN | {"ride": f"R{number}"} | change for number, change in enumerate(changes)]


def fares(*values: str | None, **more: str | None) -> list[Row]:
    """Rows of these fares."""
    return rows(*[{"fare": value, **more} for value in values])


def extras(*values: str | None) -> list[Row]:
    """Rows of these extras."""
    return rows(*[{"extras": value} for value in values])


NEW_YORK: Final = {"column": "hour", "time_zone": "America/New_York"}
