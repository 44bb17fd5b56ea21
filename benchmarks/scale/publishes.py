"""`make bench-publish`: how long a publish takes, also after thousands of versions and beside other writers.

One writer first, of so many versions; then one writer to one table, eight to eight, and in turn seven to
seven and seven beside an eighth that is stopped for half a minute. The result is docs/publishes.md; a figure
past its bar makes the run fail.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.machine import ROOT, described, parser_of, say, this_machine
from benchmarks.scale.writers import TABLES, Lake, made, many, percentile, read

WINDOW: Final = 100
"""Publishes that a percentile is of, at most."""
POINTS: Final = (60, 200, 500, 1000, 1500, 2000)
"""Versions of the table; the first ten publishes, in which everything begins, are in no window."""
BEGINS: Final = 10
TURNS: Final = ("usual", "stopped", "stopped", "usual")
"""Seven writers with and without one that is stopped: neither has the fewer versions or the quieter
machine."""
STOPPED: Final = 30
"""Seconds for which a writer is stopped."""


def one_writer(lake: Lake, versions: int) -> list[dict[str, Any]]:
    """Publish so many versions; at some of them, what the last publishes took and what lakeFS holds."""
    process, results = lake.writer(0, versions)
    points = [point for point in POINTS if point < versions] + [versions]
    measured = []
    for point in points:
        while len(found := read(results)) < point:
            if process.poll() is not None and len(read(results)) < point:
                ended = f"the writer ended with {process.returncode}"
                raise SystemExit(f"{ended} after {len(read(results))} versions")
            time.sleep(0.2)
        last = found[max(BEGINS, point - WINDOW) : point]
        publishes = [item["publish"] for item in last]
        own = family(process.pid)
        measured.append(
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
        say(json.dumps(measured[-1]))
    process.communicate()
    return measured


def family(pid: int) -> list[psutil.Process]:
    """A process and those that it started."""
    owner = psutil.Process(pid)
    return [owner, *owner.children(recursive=True)]


def missed(measured: dict[str, Any]) -> list[str]:
    """The figures that are past their bars."""
    points = measured["one"]
    first, last = points[0], points[-1]
    metadata = last["metadata"] / first["metadata"]
    one_of_eight = measured["single"].rate / measured["eight"].rate
    beside_stopped = measured["stopped"].p95 / measured["usual"].p95
    bars = {
        "p95 of a publish": (max(item["p95"] for item in points), 0.150),
        "p95 at the end over that at the beginning": (last["p95"] / first["p95"], 1.5),
        "bytes of lakeFS": (max(item["lakefs"] for item in points), 600e6),
        "bytes of a version's metadata at the end over those at the beginning": (metadata, 1.05),
        "one writer's drops a second, of eight writers'": (one_of_eight, 1 / 1.5),
        "p95 of a drop beside a writer that is stopped, over the usual": (beside_stopped, 1.1),
    }
    past = {name: bar for name, bar in bars.items() if bar[0] > bar[1]}
    return [f"{name}: {value:.3g}, at most {most:.3g}" for name, (value, most) in past.items()]


def page(measured: dict[str, Any]) -> str:
    """docs/publishes.md."""
    columns = (
        "versions",
        "publish p50",
        "publish p95",
        "whole drop",
        "lakeFS",
        "writer",
        "its open files",
        "metadata of the version",
        "lakeFS's own on disk",
    )
    lines = [
        "# How long a publish takes",
        "",
        "Written by `make bench-publish`; don't edit it by hand. Drops of ten rows, one of them quarantined,",
        "through raw and processed, on the embedded lakeFS. A publish is everything after the rows were",
        "judged and lie on this disk: candidate, Delta commits of table and quarantine, their content read",
        "again, manifest, evidence, ledger, merge, tag, retention branch. Percentiles are of the last 100.",
        "",
        described(measured["machine"]),
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---:|' * len(columns)}",
    ]
    for item in measured["one"]:
        p50, p95 = (f"{item[name] * 1e3:.0f} ms" for name in ("p50", "p95"))
        lakefs, own, lists = (f"{item[name] / 2**20:,.0f} MiB" for name in ("lakefs", "own", "lists"))
        cells = f"{item['versions']:,}", p50, p95, f"{item['drop']:.2f} s", lakefs, own, str(item["files"])
        lines.append(f"| {' | '.join(cells)} | {item['metadata']:,} bytes | {lists} |")
    one, eight = measured["single"], measured["eight"]
    times, usual, stopped = eight.rate / one.rate, measured["usual"], measured["stopped"]
    writers = f"seven, while an eighth is stopped for {STOPPED} s in judging a drop"
    lines += [
        "",
        "| writers | drops a second | drop p95 |",
        "|---|---:|---:|",
        f"| one, to one table | {one.rate:.2f} | {one.p95:.2f} s |",
        f"| eight, to eight tables | {eight.rate:.2f} ({times:.2f} times) | {eight.p95:.2f} s |",
        f"| seven, to seven tables | {usual.rate:.2f} | {usual.p95:.2f} s |",
        f"| {writers} | {stopped.rate:.2f} | {stopped.p95:.2f} s |",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the page."""
    parser = parser_of("bench-publish", __doc__)
    parser.add_argument("--versions", type=int, default=2000, help="of one table by one writer")
    parser.add_argument("--drops", type=int, default=30, help="of each writer, where there are several")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench" / "publishes")
    parser.add_argument("--into", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    folder = options.folder.absolute()
    with made(folder) as lake:
        measured: dict[str, Any] = {"machine": this_machine(), "one": one_writer(lake, options.versions)}
    with made(folder) as lake:
        measured["single"] = many(lake, range(1), options.drops * TABLES)
        measured["eight"] = many(lake, range(TABLES), options.drops)
        for turn in TURNS:
            seven, drops = range(TABLES - 1), 2 * options.drops
            worked = many(lake, seven, drops, beside_stopped=turn == "stopped", seconds=STOPPED)
            measured[turn] = measured[turn] + worked if turn in measured else worked
            say(f"{turn}: {worked.rate:.2f} drops a second, p95 {worked.p95:.2f} s")
    (options.into / "publishes.md").write_text(page(measured), encoding="utf-8")
    if past := missed(measured):
        raise SystemExit("\n".join(past))


if __name__ == "__main__":
    main()
