"""`make bench-publish`: how long a publish takes, whether that stays so over thousands of versions, and what many writers gain.

One writer first, of as many versions as are asked for; then one writer to one table and eight to eight, in turns; then eight of which
one stands still for half a minute. Written into docs/publishes.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks import arena
from lake.repository import MAIN
from lake.server import ensure_server, stop_server
from lake.server_files import read_server
from lake.session import open_session
from lakegate.settings import Settings

WINDOW: Final = 50
"""Publishes that a percentile is of."""
WRITERS: Final = 8
STANDS_STILL: Final = 30
CONTRACT: Final = """
apiVersion: v3.2.0
kind: DataContract
id: {name}
name: {name}
version: 1.0.0
status: draft
schema:
  - name: {name}
    properties:
      - {{name: ride, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: fare, logicalType: number}}
customProperties:
  - {{property: writeMode, value: append}}
  - {{property: maxQuarantined, value: 1.0}}
  - {{property: drift, value: none}}
"""


@dataclass(frozen=True)
class Lake:
    """A home with its lakeFS running, and eight tables that drops are appended to."""

    folder: Path

    @property
    def settings(self) -> Settings:
        """Where it is."""
        return Settings.load(home=self.folder / "home", project=self.folder / "project")

    def writer(self, table: int, drops: int) -> tuple[subprocess.Popen[bytes], Path]:
        """A process that carries drops to a table, and the file that it writes its times to."""
        results = self.folder / f"results-{table}-{time.time_ns()}"
        told = [str(self.settings.home.root), str(self.settings.project), f"rides{table}", str(drops), str(results)]
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.publisher", *told], cwd=arena.ROOT, start_new_session=True)
        return process, results

    def memory(self) -> int:
        """Bytes that lakeFS holds."""
        recorded = read_server(self.settings.home)
        return int(psutil.Process(recorded.pid).memory_info().rss) if recorded else 0

    def own_metadata(self) -> int:
        """Bytes on disk of lakeFS's own: its key-value store, and its lists of what commits hold."""
        home = self.settings.home
        folders = (home.lakefs / "kv", home.blocks / self.settings.repository / "_lakefs")
        return sum(path.stat().st_blocks * 512 for folder in folders for path in folder.rglob("*") if path.is_file())

    def metadata(self, table: str, version: int) -> int:
        """Bytes of Lakegate's own records of a version: manifest, ledger, head and publication."""
        repository = open_session(self.settings, say=lambda _: None).repository
        listed = repository.listing(MAIN, "_lakegate/")
        ends = (f"manifests/{table}/v{version}.json", f"ledger/{table}/v{version}.json", f"heads/{table}.json")
        drops = [int(item.size_bytes) for item in listed if f"drops/{table}/" in item.path]
        return sum(int(item.size_bytes) for item in listed if item.path.endswith(ends)) + max(drops)


@contextmanager
def made(folder: Path) -> Iterator[Lake]:
    """A new one; gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    contracts = folder / "project" / "catalog" / "contracts"
    contracts.mkdir(parents=True)
    for number in range(WRITERS):
        (contracts / f"rides{number}.odcs.yaml").write_text(CONTRACT.format(name=f"rides{number}"))
    lake = Lake(folder)
    try:
        ensure_server(lake.settings, say=lambda _: None)
        yield lake
    finally:
        stop_server(lake.settings.home)
        shutil.rmtree(folder, ignore_errors=True)


def read(results: Path) -> list[dict[str, float]]:
    """The drops that a writer has carried by now."""
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values doesn't exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def one_writer(lake: Lake, versions: int) -> list[dict[str, Any]]:
    """Publish so many versions; at some of them, what the last publishes took and what lakeFS holds."""
    process, results = lake.writer(0, versions)
    points = [point for point in (10, 60, 100, 200, 500, 1000, 1500, 2000) if point < versions] + [versions]
    told = []
    for point in points:
        while len(found := read(results)) < point:
            if process.poll() is not None and len(read(results)) < point:
                raise SystemExit(f"the writer ended with {process.returncode} after {len(read(results))} versions")
            time.sleep(0.2)
        last = found[max(0, point - WINDOW) : point]
        publishes = [item["publish"] for item in last]
        own = family(process.pid) if process.poll() is None else []
        told.append(
            {
                "versions": point,
                "p50": statistics.median(publishes),
                "p95": percentile(publishes, 0.95),
                "drop": statistics.median(item["drop"] for item in last),
                "lakefs": lake.memory(),
                "own": sum(int(item.memory_info().rss) for item in own),
                "files": sum(item.num_fds() for item in own),
                "metadata": lake.metadata("rides0", point),
                "lists": lake.own_metadata(),
            }
        )
        say(json.dumps(told[-1]))
    process.wait()
    return told


def family(pid: int) -> list[psutil.Process]:
    """A process and those that it started."""
    owner = psutil.Process(pid)
    return [owner, *owner.children(recursive=True)]


def many(lake: Lake, tables: Sequence[int], drops: int, *, still: bool = False) -> dict[str, float]:
    """Writers to these tables at once: drops a second while all are at work, and the p95 of a drop; `still`: the first stands still."""
    writers = [lake.writer(table, drops) for table in tables]
    while not all(read(results) for _, results in writers):
        time.sleep(0.05)
    if still:
        os.killpg(writers[0][0].pid, signal.SIGSTOP)
        time.sleep(STANDS_STILL)
        os.killpg(writers[0][0].pid, signal.SIGCONT)
    for process, _ in writers:
        process.wait()
    found = [read(results) for _, results in writers[int(still) :]]
    start, end = max(items[0]["at"] for items in found), min(items[-1]["at"] for items in found)
    within = [item for items in found for item in items if start < item["at"] <= end]
    return {"rate": len(within) / (end - start), "p95": percentile([item["drop"] for items in found for item in items[1:]], 0.95)}


def page(told: dict[str, Any]) -> str:
    """docs/publishes.md."""
    machine, mib = told["machine"], 2**20
    lines = [
        "# How long a publish takes",
        "",
        "Written by `make bench-publish`; don't edit it by hand. Drops of ten rows, one of them set aside, through raw and processed, on the",
        "embedded lakeFS. A publish is everything after the rows were judged and lie on this disk: candidate, Delta commits of table and",
        "quarantine, manifest, evidence, ledger, merge, tag, retention branch. Percentiles are of the last 50 publishes.",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']}.",
        "",
        "| versions | publish p50 | publish p95 | whole drop | lakeFS | writer | its open files | metadata of the version | lakeFS's own on disk |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {item['versions']:,} | {item['p50'] * 1e3:.0f} ms | {item['p95'] * 1e3:.0f} ms | {item['drop']:.2f} s | {item['lakefs'] / mib:,.0f} MiB"
        f" | {item['own'] / mib:,.0f} MiB | {item['files']} | {item['metadata']:,} bytes | {item['lists'] / mib:,.0f} MiB |"
        for item in told["one"]
    ]
    one, eight, still = told["single"], told["eight"], told["still"]
    lines += [
        "",
        "| writers | drops a second | drop p95 |",
        "|---|---:|---:|",
        f"| one, to one table | {one['rate']:.2f} | {one['p95']:.2f} s |",
        f"| eight, to eight tables | {eight['rate']:.2f} ({eight['rate'] / one['rate']:.2f} times) | {eight['p95']:.2f} s |",
        f"| seven of eight, while the eighth stands still for {STANDS_STILL} s | {still['rate']:.2f} | {still['p95']:.2f} s |",
        "",
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="make bench-publish", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=2000, help="of one table by one writer")
    parser.add_argument("--drops", type=int, default=30, help="of each writer, where there are several")
    parser.add_argument("--folder", type=Path, default=arena.ROOT / ".bench" / "publishes")
    parser.add_argument("--into", type=Path, default=arena.ROOT / "docs")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    folder = options.folder.absolute()
    with made(folder) as lake:
        told: dict[str, Any] = {"machine": arena.machine(), "one": one_writer(lake, options.versions)}
    with made(folder) as lake:
        for name, tables, still in (("single", [0], False), ("eight", range(WRITERS), False), ("still", range(WRITERS), True)):
            told[name] = many(lake, list(tables), options.drops * (WRITERS if name == "single" else 1), still=still)
            say(f"{name}: {told[name]}")
    (options.into / "publishes.md").write_text(page(told), encoding="utf-8")


if __name__ == "__main__":
    main()
