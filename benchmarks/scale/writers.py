"""Writers to the tables of a lake of their own, for `publishes`: one at a time or many, each a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.machine import ROOT
from benchmarks.rides import running, settings_of
from lake.lakefs.repository import MAIN
from lake.server.state_files import read_server
from lake.session import open_session
from lakegate.settings import Settings

TABLES: Final = 8
"""As many as there are writers at once, at most."""


@dataclass(frozen=True)
class Lake:
    """A home with its lakeFS running, and eight tables that drops are appended to."""

    folder: Path

    @property
    def settings(self) -> Settings:
        """Where it is."""
        return settings_of(self.folder)

    def writer(self, table: int, drops: int, *, stops: int = 0) -> tuple[subprocess.Popen[bytes], Path]:
        """A process that publishes drops to a table, and the file of its times; it ends with its input."""
        results = self.folder / f"results-{table}-{time.time_ns()}"
        folders = [str(self.settings.home.root), str(self.settings.project)]
        work = [f"rides{table}", str(drops), str(results), str(stops)]
        command = [sys.executable, "-m", "benchmarks.scale.publisher", *folders, *work]
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdin=subprocess.PIPE)
        return process, results

    def memory(self) -> int:
        """Bytes that lakeFS holds."""
        recorded = read_server(self.settings.home)
        return int(psutil.Process(recorded.pid).memory_info().rss) if recorded else 0

    def own_metadata(self) -> int:
        """Bytes on disk of lakeFS's own: its key-value store, and its lists of what commits hold."""
        home = self.settings.home
        folders = (home.lakefs / "kv", home.blocks / self.settings.repository / "_lakefs")
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        return sum(path.stat().st_blocks * 512 for path in files)

    def metadata(self, table: str, version: int) -> int:
        """Bytes of Lakegate's own records of a version: manifest, ledger, head and publication."""
        repository = open_session(self.settings, say=lambda _: None).repository
        listed = repository.listing(MAIN, "_lakegate/")
        ends = (
            f"manifests/{table}/v{version}.json",
            f"ledger/{table}/v{version}.json",
            f"heads/{table}.json",
        )
        drops = [int(item.size_bytes) for item in listed if f"drops/{table}/" in item.path]
        return sum(int(item.size_bytes) for item in listed if item.path.endswith(ends)) + max(drops)


@contextmanager
def made(folder: Path) -> Iterator[Lake]:
    """A new one; gone afterwards."""
    with running(folder, tables=TABLES):
        yield Lake(folder)


def read(results: Path) -> list[dict[str, float]]:
    """The drops that a writer has published by now."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values doesn't exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@dataclass(frozen=True)
class Worked:
    """What writers did while all were at work: seconds of each drop, and of all."""

    drops: list[float]
    seconds: float

    def __add__(self, other: Worked) -> Worked:
        return Worked(self.drops + other.drops, self.seconds + other.seconds)

    @property
    def rate(self) -> float:
        """Drops a second."""
        return len(self.drops) / self.seconds

    @property
    def p95(self) -> float:
        """Seconds of a drop."""
        return percentile(self.drops, 0.95)


def many(
    lake: Lake,
    tables: Sequence[int],
    drops: int,
    *,
    beside_stopped: bool = False,
    seconds: float = float("inf"),
) -> Worked:
    """Run writers to these tables at once, until one has published all of its drops, or for so many seconds.

    Args:
        lake: The lake.
        tables: The numbers of the tables.
        drops: How many each writer publishes.
        beside_stopped: Meanwhile one more, to a table of its own, is stopped in judging its second drop; it
            goes on afterwards.
        seconds: How long.
    """
    stopped = lake.writer(len(tables), 3, stops=2)[0] if beside_stopped else None
    writers = [lake.writer(table, drops) for table in tables]
    while not all(read(results) for _, results in writers) or (
        stopped and psutil.Process(stopped.pid).status() != psutil.STATUS_STOPPED
    ):
        time.sleep(0.05)
    begin, until = time.time(), time.time() + seconds
    if stopped is not None:
        time.sleep(seconds)
        os.killpg(stopped.pid, signal.SIGCONT)
        stopped.communicate()
    for process, _ in writers:
        process.communicate()
    found = [[item for item in read(results) if begin < item["at"] <= until] for _, results in writers]
    start, end = max(items[0]["at"] for items in found), min(items[-1]["at"] for items in found)
    took = [item["drop"] for items in found for item in items if start < item["at"] <= end]
    return Worked(took, end - start)
