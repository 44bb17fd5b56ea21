"""Sources: where deliveries come from.

In here: the protocol `Source`, and one module a kind; the landing folder is the first. A source knows neither
Dagster nor the lake: it is asked for what came after a position, and told what became of it. Its position is
in the receipt that `lake.hops.receive` commits with the bytes, so an extract is received once, whoever dies.
May import: `lake.runtime`. Who asks sources is `sensors.landing_sensor`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Extract:
    """A whole file on this disk, the dataset that it is of, and the position of its source after it.

    The file lasts until the next extract is asked for. Its name is what people see.
    """

    dataset: str
    path: Path
    id: str
    """Tells this delivery from every other of its dataset, today and tomorrow."""
    position: str = ""
    """For its source alone to read. It holds no value of a row: receipts are no data files (P6)."""
    drop: str | None = None
    """SHA-256 of its bytes, where its source remembers that they were received."""


class Source(Protocol):
    """A place that deliveries come from.

    A source with positions is asked with that of its newest receipt, empty at first, and gives what came
    after it in order: an extract that can't be received keeps back those behind it. A source without gives
    empty ones: its place itself forgets what is done with, and what it gives again is known by its receipt.
    """

    name: str
    """Under which its position is found; empty where it has none."""
    place: str
    """What people call it."""

    def poll(self, position: str) -> Iterable[Extract]:
        """What came after a position, oldest first; only files that are whole."""
        ...

    def received(self, extract: Extract, drop: str) -> None:
        """Hear that an extract's bytes are in raw, under this SHA-256."""

    def put_away(self, extract: Extract, drop: str, *, note: str | None = None) -> bool:  # noqa: ARG002
        """Put away what is published, or refused for what the `note` says; False where nothing was done."""
        return False
