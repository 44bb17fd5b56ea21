"""`make bench-publish`: how long a publish takes, whether that stays so over thousands of versions, and what many writers gain.

One writer first, of as many versions as are asked for; then one writer to one table, eight to eight, and in turn seven to seven and seven
beside an eighth that stands still for half a minute. Written into docs/publishes.md; what is past a bar is told, and makes it fail.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks import arena
from benchmarks.writers import TABLES, Lake, made, many, percentile, read

WINDOW: Final = 100
"""Publishes that a percentile is of, at most."""
POINTS: Final = (60, 200, 500, 1000, 1500, 2000)
"""Versions of the table; the first ten publishes, in which everything begins, are in no window."""
BEGINS: Final = 10
TURNS: Final = ("usual", "still", "still", "usual")
"""Seven writers with and without one that stands still, so that neither has the fewer versions or the quieter machine."""
STANDS_STILL: Final = 30
"""Seconds."""


def one_writer(lake: Lake, versions: int) -> list[dict[str, Any]]:
    """Publish so many versions; at some of them, what the last publishes took and what lakeFS holds."""
    process, results = lake.writer(0, versions)
    points = [point for point in POINTS if point < versions] + [versions]
    told = []
    for point in points:
        while len(found := read(results)) < point:
            if process.poll() is not None and len(read(results)) < point:
                raise SystemExit(
                    f"the writer ended with {process.returncode} after {len(read(results))} versions"
                )
            time.sleep(0.2)
        last = found[max(BEGINS, point - WINDOW) : point]
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


def missed(told: dict[str, Any]) -> list[str]:
    """What a publish may take, and doesn't keep to."""
    first, last = told["one"][0], told["one"][-1]
    bars = {
        "p95 of a publish": (max(item["p95"] for item in told["one"]), 0.150),
        "p95 at the end over that at the beginning": (last["p95"] / first["p95"], 1.5),
        "bytes of lakeFS": (max(item["lakefs"] for item in told["one"]), 600e6),
        "bytes of a version's metadata at the end over those at the beginning": (
            last["metadata"] / first["metadata"],
            1.05,
        ),
        "one writer's drops a second, of eight writers'": (told["single"].rate / told["eight"].rate, 1 / 1.5),
        "p95 of a drop beside a writer that stands still, over the usual": (
            told["still"].p95 / told["usual"].p95,
            1.1,
        ),
    }
    return [
        f"{name}: {value:.3g}, at most {most:.3g}" for name, (value, most) in bars.items() if value > most
    ]


def page(told: dict[str, Any]) -> str:
    """docs/publishes.md."""
    machine, mib = told["machine"], 2**20
    lines = [
        "# How long a publish takes",
        "",
        "Written by `make bench-publish`; don't edit it by hand. Drops of ten rows, one of them quarantined, through raw and processed, on the",
        "embedded lakeFS. A publish is everything after the rows were judged and lie on this disk: candidate, Delta commits of table and",
        "quarantine, their content read again, manifest, evidence, ledger, merge, tag, retention branch. Percentiles are of the last 100.",
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
        f"| one, to one table | {one.rate:.2f} | {one.p95:.2f} s |",
        f"| eight, to eight tables | {eight.rate:.2f} ({eight.rate / one.rate:.2f} times) | {eight.p95:.2f} s |",
        f"| seven, to seven tables | {usual.rate:.2f} | {usual.p95:.2f} s |",
        f"| seven, while an eighth stands still for {STANDS_STILL} s in judging a drop | {still.rate:.2f} | {still.p95:.2f} s |",
        "",
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="make bench-publish", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
        told["single"] = many(lake, range(1), options.drops * TABLES)
        told["eight"] = many(lake, range(TABLES), options.drops)
        for turn in TURNS:
            worked = many(
                lake, range(TABLES - 1), 2 * options.drops, still=turn == "still", seconds=STANDS_STILL
            )
            told[turn] = told[turn] + worked if turn in told else worked
            say(f"{turn}: {worked.rate:.2f} drops a second, p95 {worked.p95:.2f} s")
    (options.into / "publishes.md").write_text(page(told), encoding="utf-8")
    if past := missed(told):
        raise SystemExit("\n".join(past))


if __name__ == "__main__":
    main()
