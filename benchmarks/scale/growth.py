"""`make bench-growth`: what a command takes when a lake holds much that it doesn't touch, as ratios.

Contracts of other datasets, drops that were blocked, versions that were published. Commands run in turns on
two lakes that differ in nothing else. The result is printed as a table; a ratio past its bar makes the run
fail. docs/growth.md has the figures.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.machine import ROOT, parser_of
from benchmarks.rides import running, settings_of
from lake.maintenance.reconcile import mend
from lake.pipeline.ingest import ingest
from lake.session import open_session
from lakegate.settings import Settings

ROWS: Final = 1000
"""Of a delivery that is measured."""
_numbers = count()


@dataclass(frozen=True)
class Bar:
    """What was measured twice, how often it was, and how much more the second may take."""

    what: str
    least: list[float]
    most: list[float]
    limit: float

    @property
    def ratio(self) -> float:
        """The second over the first, by their medians."""
        return statistics.median(self.most) / statistics.median(self.least)

    def __str__(self) -> str:
        first, second = (f"{statistics.median(times):.2f} s" for times in (self.least, self.most))
        return f"| {self.what} | {first} | {second} | {self.ratio:.2f} | {self.limit} |"


@dataclass(frozen=True)
class Grown:
    """A home with its lakeFS running, and tables `rides0`, `rides1` ... that drops are appended to."""

    folder: Path

    @property
    def settings(self) -> Settings:
        """Where it is."""
        return settings_of(self.folder)

    def delivery(self, rows: int = ROWS, *, header: str = "ride,fare") -> Path:
        """A new file, whose rides no other has; with another header its drop is blocked."""
        number = next(_numbers)
        path = self.folder / f"delivery-{number}.csv"
        path.write_text(header + "\n" + "".join(f"{number * ROWS + row},{row}.5\n" for row in range(rows)))
        return path

    def lakegate(self, *words: str) -> float:
        """Seconds of one command, as a person would type it."""
        command = [sys.executable, "-m", "cli.main", *words]
        where = ["--home", str(self.settings.home.root), "--project", str(self.settings.project)]
        begin = time.perf_counter()
        done = subprocess.run([*command, *where], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            printed = f"{done.stdout[-500:]} {done.stderr[-500:]}"
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {printed}")
        return time.perf_counter() - begin

    def ingest(self, table: str = "rides0") -> float:
        """Seconds that a delivery takes."""
        return self.lakegate("ingest", table, str(self.delivery()))

    def grow(self, drops: int, *, header: str = "ride,fare") -> None:
        """Deliver small drops to `rides0`: two versions each, or, with another header, blocked."""
        session = open_session(self.settings, say=lambda _: None)
        for _ in range(0, drops, 50):
            files = [self.delivery(3, header=header) for _ in range(50)]
            results = ingest(session, "rides0", files)
            if len(results) != len(files):
                raise SystemExit(f"{len(results)} of {len(files)} drops were processed")
            for path in files:
                path.unlink()


@contextmanager
def made(folder: Path, *, contracts: int = 2) -> Iterator[Grown]:
    """A new one; gone afterwards."""
    with running(folder, tables=contracts):
        yield Grown(folder)


def in_turns(
    rounds: int, one: Callable[[], float], other: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Seconds of two calls, once to begin with and then so many times, in turns."""
    taken = [(one(), other()) for _ in range(rounds + 1)][1:]
    return [first for first, _ in taken], [second for _, second in taken]


def contracts(folder: Path, rounds: int, most: int) -> list[Bar]:
    """An ingest beside two contracts, and beside many."""
    with made(folder / "few") as few, made(folder / "many", contracts=most) as many:
        times = in_turns(rounds, few.ingest, many.ingest)
        return [Bar(f"ingest of 1,000 rows, 2 contracts and {most}", *times, 1.25)]


def blocked(folder: Path, rounds: int, most: int) -> list[Bar]:
    """An ingest to a dataset, one to another, and `status`, without blocked drops and with many."""
    with made(folder / "none") as none, made(folder / "many") as many:
        many.grow(most, header="ride,cost")
        own = in_turns(rounds, none.ingest, many.ingest)
        other = in_turns(rounds, lambda: none.ingest("rides1"), lambda: many.ingest("rides1"))
        status = in_turns(rounds, lambda: none.lakegate("status"), lambda: many.lakegate("status"))
        return [
            Bar(f"ingest of 1,000 rows, 0 blocked drops and {most}", *own, 1.1),
            Bar(f"the same of another dataset, 0 blocked drops and {most}", *other, 1.1),
            Bar(f"status, 0 blocked drops and {most}", *status, 1.5),
        ]


def versions(folder: Path, rounds: int, least: int) -> list[Bar]:
    """`verify --all`, and a look for what died, at some versions and at three times as many."""
    with made(folder / "versions") as lake:
        times = []
        for more in (least, 2 * least):
            lake.grow(more // 2)
            times.append(in_turns(rounds, lambda: lake.lakegate("verify", "--all"), lambda: mended(lake)))
        (verify, mending), (verify_more, mending_more) = times
        names = f"{least} versions and {3 * least}"
        return [
            Bar(f"verify --all, {names}", verify, verify_more, 3.3),
            Bar(f"mend, again, {names}", mending, mending_more, 1.5),
        ]


def mended(lake: Grown) -> float:
    """Seconds of what the sensor `mend` does each five minutes."""
    session = open_session(lake.settings, say=lambda _: None)
    begin = time.perf_counter()
    mend(session)
    return time.perf_counter() - begin


def main() -> None:
    """Measure, and print the table."""
    parser = parser_of("bench-growth", __doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--contracts", type=int, default=200)
    parser.add_argument("--blocked", type=int, default=500)
    parser.add_argument("--versions", type=int, default=200, help="of which a third of all is made first")
    parser.add_argument("--only", choices=("contracts", "blocked", "versions"))
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench" / "growth")
    options = parser.parse_args()
    folder = options.folder.absolute()
    print("| what | few | many | ratio | at most |\n|---|---:|---:|---:|---:|", flush=True)
    past = []
    for measure in (contracts, blocked, versions):
        if options.only not in (None, measure.__name__):
            continue
        for bar in measure(folder, options.rounds, getattr(options, measure.__name__)):
            print(bar, flush=True)
            if bar.ratio > bar.limit:
                past.append(f"{bar.what}: {bar.ratio:.2f}, at most {bar.limit}")
    if past:
        raise SystemExit("\n".join(past))


if __name__ == "__main__":
    main()
