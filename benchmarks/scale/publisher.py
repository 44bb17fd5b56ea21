"""One process that takes small drops through raw and processed, and writes down how long each publish took.

Arguments: home, project, dataset, drops, a file that results go to, and the drop in whose judging the process
stops itself, until somebody lets it go on (0: none). When all are done it waits for the end of its standard
input. A publish is everything after the rows were judged and written to this disk: candidate, Delta commits,
their files listed and hashed, their content read again, manifest, evidence and ledger, merge, tag, retention
branch.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lake.hops import runner
from lake.hops.processed import hop, write_rows
from lake.hops.processed.hop import carry_processed
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.lakefs.repository import Repository
from lake.session import Session, open_session
from lake.tables import change, writer
from lake.versions import publish
from lakegate.settings import Settings

RIDES: Final = 10
"""Rows of a drop; the last one is quarantined."""
PARTS: Final[tuple[tuple[Any, str], ...]] = (
    (runner, "_done"),
    (publish, "stage"),
    (runner, "_publication"),
    (runner, "finish_interrupted_at"),
    (hop, "refuse_name"),
    (write_rows, "_compacted"),
    (writer, "_adopt_files"),
    (change, "list_table"),
    (change, "table_files"),
    (change, "content_after"),
    (write_rows, "table_files"),
    (write_rows, "_update_tree"),
    (publish, "commit"),
    (publish, "merge"),
    (Repository, "tag"),
    (runner, "keep"),
    (runner, "cache_published"),
    (runner, "_delete"),
    (runner, "record"),
)


class Clock:
    """Seconds in the parts of a publish since the last reading; where two run at once, time counts once."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        for module, name in PARTS:
            setattr(module, name, self.timed(getattr(module, name)))

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, whose time counts."""

        @functools.wraps(call)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.spans.append((start, time.perf_counter()))

        return wrapped

    def read(self) -> float:
        """Seconds since the last time, and begin anew."""
        spans, self.spans = sorted(self.spans), []
        seconds, until = 0.0, 0.0
        for start, end in spans:
            seconds += max(0.0, end - max(start, until))
            until = max(until, end)
        return seconds


def carry(session: Session, clock: Clock, dataset: str, path: Path) -> dict[str, float]:
    """One drop; when its publish was done, how long that took, and the drop as a whole."""
    start, contract = time.perf_counter(), session.catalog.get(dataset)
    drop = receive(session, dataset, path)
    carry_raw(session, contract, drop)
    clock.read()
    carry_processed(session, contract, drop)
    return {"at": time.time(), "publish": clock.read(), "drop": time.perf_counter() - start}


def main() -> None:
    """Process the drops, a line of JSON for each."""
    home, project, dataset, drops, results, stops = sys.argv[1:]
    session = open_session(Settings.load(home=home, project=project), say=lambda _: None)
    clock, judged = Clock(), 0

    def watch(table: str, step: str) -> None:
        nonlocal judged
        judged += (table, step) == (dataset, "evaluate")
        if judged == int(stops) and (table, step) == (dataset, "evaluate"):
            os.kill(os.getpid(), signal.SIGSTOP)

    session.watcher = watch
    with session.caching(), session.scratch("deliveries") as folder, Path(results).open("a") as file:
        for number in range(int(drops)):
            path = folder / f"{dataset}-{number}-{time.time_ns()}.csv"
            first = 1 + RIDES * (number + int(time.time()) % 10**6 * 10**4)
            valid = "".join(f"{first + ride},{ride}.5\n" for ride in range(RIDES - 1))
            path.write_text(f"ride,fare\n{valid}{first + RIDES - 1},free\n")
            file.write(json.dumps(carry(session, clock, dataset, path)) + "\n")
            file.flush()
            path.unlink()
        sys.stdin.read()


if __name__ == "__main__":
    main()
