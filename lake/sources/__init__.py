"""Sources: where deliveries come from.

In here: the protocol `Source`, and one module a kind; the landing folder is the first. A source knows neither
Dagster nor the lake: `sensors.landing_sensor` polls it with a position, and reports to it what it received.
The position is in the receipt that `lake.hops.receive` commits with the bytes, so an extract is received
once, whatever dies. May import: `lake.runtime`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Extract:
    """A whole file on this disk, its dataset, and the position of its source after it.

    The file lasts until the next extract is polled. Its name is what people see.
    """

    dataset: str
    path: Path
    id: str
    """Differs from that of every other delivery of its dataset, today and tomorrow."""
    position: str = ""
    """For its source alone to read. It holds no value of a row: receipts are no data files (P6)."""
    drop: str | None = None
    """SHA-256 of its bytes, where its source remembers that they were received."""


class Source(Protocol):
    """A place that deliveries come from.

    A source with positions is polled with that of its newest receipt, empty at first, and gives what came
    after it in order: an extract that can't be received holds up those behind it. Once an extract is
    received, it is the lake's, and the source hears no more of it: it is polled from behind it, and
    `put_away` is called only for content that was done with before. Whoever wants the outcome of each
    delivery listens to hops (`lake.listeners`).

    A source without positions gives empty ones. It gives a file at every poll until `put_away` is called for
    it; the file's receipt shows that it is the same one.
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
