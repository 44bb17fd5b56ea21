"""`make bench-publish`: how long a publish takes, whether that stays so over thousands of versions, and what many writers gain.

One writer first, of as many versions as are asked for; then one writer to one table, eight to eight, seven to seven, and seven beside an eighth
that stands still for half a minute. Written into docs/publishes.md; what is past a bar is told, and makes it fail.
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
POINTS: Final = (60, 200, 500, 1000, 1500, 2000)
"""Versions of the table; the first ten publishes, in which everything begins, are in no window."""
STANDS_STILL: Final = 30
"""Seconds."""
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

    def writer(self, table: int, drops: int, *, stops: int = 0) -> tuple[subprocess.Popen[bytes], Path]:
        """A process that carries drops to a table, and the file that it writes its times to; it lives until its input is closed."""
        results = self.folder / f"results-{table}-{time.time_ns()}"
        told = [str(self.settings.home.root), str(self.settings.project), f"rides{table}", str(drops), str(results), str(stops)]
        command = [sys.executable, "-m", "benchmarks.publisher", *told]
        return subprocess.Popen(command, cwd=arena.ROOT, start_new_session=True, stdin=subprocess.PIPE), results

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
    points = [point for point in POINTS if point < versions] + [versions]
    told = []
    for point in points:
        while len(found := read(results)) < point:
            if process.poll() is not None and len(read(results)) < point:
                raise SystemExit(f"the writer ended with {process.returncode} after {len(read(results))} versions")
            time.sleep(0.2)
        last = found[max(0, point - WINDOW) : point]
        publishes = [item["publish"] for item in last]
        own = family(process.pid)
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
    process.communicate()
    return told


def family(pid: int) -> list[psutil.Process]:
    """A process and those that it started."""
    owner = psutil.Process(pid)
    return [owner, *owner.children(recursive=True)]


def many(lake: Lake, tables: Sequence[int], drops: int, *, still: bool = False) -> dict[str, float]:
    """Writers to these tables at once: drops a second while all are at work, and the p95 of a drop; `still`: one stands still meanwhile.

    That is one more, to a table of its own, in the midst of judging its second drop; then what counts is what the others do until it goes on.
    """
    stands = lake.writer(len(tables), 3, stops=2)[0] if still else None
    writers = [lake.writer(table, drops) for table in tables]
    while not all(read(results) for _, results in writers) or (stands and psutil.Process(stands.pid).status() != psutil.STATUS_STOPPED):
        time.sleep(0.05)
    begin, until = time.time(), float("inf")
    if stands is not None:
        time.sleep(STANDS_STILL)
        until = time.time()
        os.killpg(stands.pid, signal.SIGCONT)
        stands.communicate()
    for process, _ in writers:
        process.communicate()
    found = [[item for item in read(results) if begin < item["at"] <= until] for _, results in writers]
    start, end = max(items[0]["at"] for items in found), min(items[-1]["at"] for items in found)
    within = [item for items in found for item in items if start < item["at"] <= end]
    return {"rate": len(within) / (end - start), "p95": percentile([item["drop"] for item in within], 0.95)}


def missed(told: dict[str, Any]) -> list[str]:
    """What a publish may take, and doesn't keep to."""
    first, last = told["one"][0], told["one"][-1]
    bars = {
        "p95 of a publish": (max(item["p95"] for item in told["one"]), 0.150),
        "p95 at the end over that at the beginning": (last["p95"] / first["p95"], 1.5),
        "bytes of lakeFS": (max(item["lakefs"] for item in told["one"]), 600e6),
        "bytes of a version's metadata at the end over those at the beginning": (last["metadata"] / first["metadata"], 1.05),
        "one writer's drops a second, of eight writers'": (told["single"]["rate"] / told["eight"]["rate"], 1 / 1.5),
        "p95 of a drop beside a writer that stands still, over the usual": (told["still"]["p95"] / told["usual"]["p95"], 1.1),
    }
    return [f"{name}: {value:.3g}, at most {most:.3g}" for name, (value, most) in bars.items() if value > most]


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
    one, eight, usual, still = told["single"], told["eight"], told["usual"], told["still"]
    lines += [
        "",
        "| writers | drops a second | drop p95 |",
        "|---|---:|---:|",
        f"| one, to one table | {one['rate']:.2f} | {one['p95']:.2f} s |",
        f"| eight, to eight tables | {eight['rate']:.2f} ({eight['rate'] / one['rate']:.2f} times) | {eight['p95']:.2f} s |",
        f"| seven, to seven tables | {usual['rate']:.2f} | {usual['p95']:.2f} s |",
        f"| seven, while an eighth stands still for {STANDS_STILL} s in judging a drop | {still['rate']:.2f} | {still['p95']:.2f} s |",
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
        for name, tables in (("single", 1), ("eight", WRITERS), ("usual", WRITERS - 1), ("still", WRITERS - 1)):
            drops = options.drops * (WRITERS if name == "single" else 2 if tables < WRITERS else 1)
            told[name] = many(lake, range(tables), drops, still=name == "still")
            say(f"{name}: {told[name]}")
    (options.into / "publishes.md").write_text(page(told), encoding="utf-8")
    if past := missed(told):
        raise SystemExit("\n".join(past))


if __name__ == "__main__":
    main()
