"""docs/benchmarks.md from the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from benchmarks.machine import described
from benchmarks.rivals.contestants import CONTESTANTS

INTRODUCTION: Final = """# Benchmarks

Written by `make bench` from [benchmarks.json](benchmarks.json); don't edit it by hand.

A delivery, as a CSV file, becomes two Delta tables: rows that keep all rules, and quarantined rows with the
reasons. All programs get the same file, the same rules (`benchmarks/rivals/rules.py`), the same reference,
and all must find the same rows and the same count for each rule, or their figures are refused. Each runs in
a fresh process, from its start to its last line, and writes into a lakeFS that was started for it (two of
them, besides that, to a plain local disk). CPU is user and system time and memory the peak of the sum over
all its processes, lakeFS's among both; *stored* is what lies in the place afterwards. Programs take turns;
figures are medians, and of one run alone where that took over a minute. *Others* is CPU time that the
machine spent on anything else meanwhile: where it isn't next to nothing, a wall time is worth little.

- **Lakegate** receives the file, publishes the raw version and the processed version with manifest,
  evidence, file hashes and content hash; home and server are up before. Of its wall time, *processed hop*
  is the part in which the others' work is done.
- **DuckDB + delta-rs** and **polars + delta-rs** are hand-written and tuned: all rules, reasons and
  original record for each quarantined row, drop and record number for each row that passed, counts per
  rule, SHA-256 of the input and of each file written, an order-free 128 bit hash over the rows. No version,
  no retry, no record of what was judged by which rules but a small JSON.
- **pandera on polars** and **GX** do what their documentation leads to: validate, part the rows by the same
  conditions, two writes. They store no hashes; GX no original record either.

"""


def write_page(body: dict[str, Any], path: Path) -> None:
    """Write the page."""
    packages = ", ".join(f"{name} {version}" for name, version in sorted(body["versions"].items()))
    measured_on = f"{described(body['machine'])} {packages}."
    if len(body["cases"]) < body["of"]:
        measured_on += f" Measured so far: {len(body['cases'])} of {body['of']} cases."
    lines = [INTRODUCTION, measured_on, "", *_ratios(body["cases"])]
    for case in body["cases"]:
        lines += [
            "",
            f"## {case['name'].replace('_', ',')}",
            "",
            f"A delivery of {_mb(case['delivery'])} MB, measured on {case['ended'][:10]}.",
            "",
            *_table(case),
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _ratios(cases: list[dict[str, Any]]) -> list[str]:
    """Lakegate's time against the others', case by case."""
    head = [
        "case",
        "the best hand-written",
        "its processed hop alone",
        "pandera",
        "GX on Sail",
        "GX on Spark",
    ]
    lines = ["## Lakegate's wall time, as a multiple of another's", "", _row(head), _row(["---"] * len(head))]
    for case in cases:
        good = [result for result in case["results"] if result.get("wall") and not result["problem"]]
        found = {result["contestant"]: result for result in good}
        if (ours := found.get("lakegate")) is None:
            continue
        walls = [found[one.name]["wall"] for one in CONTESTANTS if one.good and one.name in found]
        best, hop = min(walls, default=None), ours["steps"].get("processed hop", 0.0)
        others = [found.get(name, {}).get("wall") for name in ("pandera", "gx-sail", "gx-spark")]
        values = [(ours["wall"], best), (hop, best), *((ours["wall"], other) for other in others)]
        ratios = [f"{mine / other:.2f}" if other else "" for mine, other in values]
        lines.append(_row([case["name"].replace("_", ","), *ratios]))
    return lines


def _table(case: dict[str, Any]) -> list[str]:
    head = [
        "program",
        "wall, s",
        "CPU, s",
        "others, s",
        "peak memory, MB",
        "without mapped files",
        "stored, MB",
        "written, MB",
    ]
    lines = [_row(head), _row(["---", *["---:"] * (len(head) - 1)])]
    titles = {one.name: one.title for one in CONTESTANTS}
    for result in case["results"]:
        title = titles[result["contestant"]]
        if 0 < len(result.get("walls", [])) < case["rounds"]:
            title += " (one run)"
        if result["problem"] or not result.get("wall"):
            lines.append(_row([title, result["problem"] or "not run", *[""] * (len(head) - 2)]))
            continue
        sizes = [_mb(result[name]) for name in ("memory", "anonymous", "stored", "written")]
        times = [f"{result['wall']:.2f}", f"{result['cpu']:.2f}", f"{result['others']:.1f}"]
        lines.append(_row([title, *times, *sizes]))
        if hop := result["steps"].get("processed hop"):
            lines.append(_row(["of it the processed hop", f"{hop:.2f}", *[""] * (len(head) - 2)]))
    return lines


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
