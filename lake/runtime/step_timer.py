"""Named steps of a hop: how long each took (for the manifest and the ledger), and who watches them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Watcher = Callable[[str, str], None]
"""Called with a table and the name of the step that it reached: progress displays, and tests that kill
there."""


@dataclass
class StepTimer:
    """The steps of one attempt at one hop, in seconds."""

    table: str
    watcher: Watcher | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    at: str = ""
    """The step that was reached last."""
    attempt: str = ""
    """Id of the candidate that was staged last."""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; the watcher hears `name` at its start and `name.done` at its end."""
        self.report(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 4)
        self.report(f"{name}.done")

    def report(self, name: str) -> None:
        """Say where the attempt is: to the watcher, and in `at`."""
        self.at = name
        if self.watcher is not None:
            self.watcher(self.table, name)
