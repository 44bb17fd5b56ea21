"""`make bench-many`: thousands of small files in one call, few handles, and hundreds of drops made again.

Everything is a ratio within one run, so a slow machine gives the same. The result is docs/many-files.md; a
ratio past its bar makes the run fail. A file's seconds are those on the clock and those of processors (this
process, its engine, lakeFS), which others on the machine disturb less.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.machine import ROOT, described, parser_of, say, this_machine
from benchmarks.rides import contract_text, settings_of, write_contracts
from lake.decisions.replay import replay
from lake.decisions.reprocess import reprocess
from lake.pipeline.ingest import TOGETHER, ingest
from lake.server.lifecycle import ensure_server, server_status, stop_server
from lake.session import open_session
from lakegate.settings import Settings

HANDLES: Final = 256
"""Files that the process, its engine and lakeFS may each have open, as `ulimit -n` says it."""
WINDOW: Final = 3 * TOGETHER
"""Files that a time is the mean of."""
EARLY: Final = 100
BARS: Final = {
    "a file at the end over one at file 100": 1.3,
    "reprocess over the ingest of the same files": 2.0,
    "reprocess of twice as many drops": 2.3,
    "replay of twice as many drops": 2.3,
}
RULE: Final = """    quality:
      - id: fare-plausible
        type: custom
        engine: greatExpectations
        severity: quarantine
        implementation:
          type: expect_column_values_to_be_between
          kwargs: {column: fare, min_value: 0, max_value: MOST}
"""


def write_contract(project: Path, most: int) -> None:
    """The contract, under which rows with a greater fare are quarantined."""
    rule = RULE.replace("MOST", str(most))
    text = contract_text(more=rule, writeMode="append", maxQuarantined=1.0, drift="none")
    write_contracts(project, {"rides": text})


@contextmanager
def made(folder: Path, *, files: int, rows: int) -> Iterator[tuple[Settings, list[Path]]]:
    """A lake, and deliveries of so many rows each; gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    write_contract(folder / "project", rows - 6)
    paths = [folder / "files" / f"{number:05}.csv" for number in range(files)]
    for number, path in enumerate(paths):
        path.write_text("ride,fare\n" + "".join(f"{number * rows + row},{row}.5\n" for row in range(rows)))
    settings = settings_of(folder)
    try:
        yield settings, paths
    finally:
        stop_server(settings.home)
        shutil.rmtree(folder, ignore_errors=True)


def processors(pids: list[int]) -> float:
    """Seconds of processors that these processes and their children took."""
    found = 0.0
    for pid in pids:
        for process in (owner := psutil.Process(pid), *owner.children(recursive=True)):
            times = process.cpu_times()
            found += times.user + times.system
    return found


def work(home: Path, project: Path, files: Path) -> None:
    """What the process with few handles does: one call with all files, and a line for each that is done."""
    settings = Settings.load(home=home, project=project)
    ensure_server(settings, say=say)
    pids, begun = [psutil.Process().pid, server_status(settings.home).pid or 0], time.monotonic()

    def tell(result: Any) -> None:
        process = psutil.Process()
        use = process.num_fds(), process.memory_info().rss
        print(json.dumps([time.monotonic() - begun, processors(pids), *use, str(result.verdict)]), flush=True)

    ingest(open_session(settings), "rides", sorted(files.iterdir()), tell=tell)


def many(folder: Path, files: int) -> dict[str, Any]:
    """Files of 20 rows in one call, under few handles."""
    with made(folder, files=files, rows=20) as (settings, paths):
        shell = ["sh", "-c", f'ulimit -n {HANDLES}; exec "$@"', "sh"]
        worker = [sys.executable, "-m", "benchmarks.scale.many_files", "--worker"]
        folders = [str(settings.home.root), str(settings.project), str(paths[0].parent)]
        command = [*shell, *worker, *folders]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        done = []
        for line in process.stdout or ():
            done.append(json.loads(line))
            if len(done) % 200 == 0:
                seconds, _, opened, memory, _ = done[-1]
                say(f"{len(done)} files: {seconds:.0f} s, {opened} open, {memory / 2**20:.0f} MiB")
        if process.wait() or len(done) != files:
            raise SystemExit(f"the call ended with {process.returncode} after {len(done)} of {files} files")
    # Whole groups of those that are received together.
    early = (EARLY // TOGETHER - 1) * TOGETHER - 1
    late = files // TOGETHER * TOGETHER - 1 - WINDOW

    def each(at: int, which: int) -> float:
        return float(done[at + WINDOW][which] - done[at][which]) / WINDOW

    return {
        "files": files,
        "seconds": done[-1][0],
        "early": [each(early, which) for which in (0, 1)],
        "late": [each(late, which) for which in (0, 1)],
        "open": max(item[2] for item in done),
        "memory": [done[early + WINDOW][3], max(item[3] for item in done)],
    }


def again(folder: Path, drops: int) -> dict[str, float]:
    """Seconds of an ingest of so many files of 100 rows in one call, then of their replay and reprocess."""
    rows, found = 100, dict[str, float]()
    with made(folder, files=drops, rows=rows) as (settings, paths):
        ensure_server(settings, say=say)
        for name, most in (("ingest", rows - 6), ("replay", rows - 3), ("reprocess", rows - 4)):
            write_contract(settings.project, most)
            session, begun = open_session(settings), time.monotonic()
            rides = session.catalog.get("rides")
            if name == "ingest":
                ingest(session, "rides", paths)
            elif name == "replay":
                replay(session, rides)
            else:
                reprocess(session, rides)
            found[name] = time.monotonic() - begun
            say(f"{name} of {drops} drops: {found[name]:.1f} s")
    return found


def ratios(measured: dict[str, Any]) -> dict[str, float]:
    """What the bars are about."""
    first, second, files = measured["few"], measured["more"], measured["many"]
    found = {
        "a file at the end over one at file 100": files["late"][1] / files["early"][1],
        "reprocess over the ingest of the same files": first["reprocess"] / first["ingest"],
        "reprocess of twice as many drops": second["reprocess"] / first["reprocess"],
        "replay of twice as many drops": second["replay"] / first["replay"],
    }
    return {name: round(value, 2) for name, value in found.items()}


def page(measured: dict[str, Any], drops: int) -> str:
    """docs/many-files.md."""
    files = measured["many"]
    before, most = (size / 2**20 for size in files["memory"])
    lines = [
        "# Many files, and many drops made again",
        "",
        "Written by `make bench-many`; don't edit it by hand.",
        "",
        described(measured["machine"]),
        "",
        f"{files['files']:,} files of 20 rows in one `ingest` under `ulimit -n {HANDLES}`, lakeFS started",
        f"under it too: {files['seconds']:,.0f} s, at most {files['open']} files open,",
        f"{before:,.0f} MiB at file {EARLY} and {most:,.0f} MiB at most.",
        "",
        "| a file | on the clock | of processors |",
        "|---|---:|---:|",
        f"| at file {EARLY} | {files['early'][0]:.2f} s | {files['early'][1]:.2f} s |",
        f"| at the end | {files['late'][0]:.2f} s | {files['late'][1]:.2f} s |",
        "",
        "| drops of 100 rows | ingest in one call | replay of all | reprocess |",
        "|---:|---:|---:|---:|",
        *(
            f"| {count} | {one['ingest']:.0f} s | {one['replay']:.1f} s | {one['reprocess']:.1f} s |"
            for count, one in ((drops, measured["few"]), (2 * drops, measured["more"]))
        ),
        "",
        "| ratio | measured | at most |",
        "|---|---:|---:|",
        *(f"| {name} | {value:.2f} | {BARS[name]} |" for name, value in ratios(measured).items()),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the page."""
    parser = parser_of("bench-many", __doc__)
    parser.add_argument("--files", type=int, default=3000, help="of one call")
    parser.add_argument("--drops", type=int, default=200, help="that are made again, and then twice as many")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench" / "many")
    parser.add_argument("--into", type=Path, default=ROOT / "docs")
    parser.add_argument("--worker", nargs=3, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(*options.worker)
        return
    options.into.mkdir(parents=True, exist_ok=True)
    folder = options.folder.absolute()
    measured: dict[str, Any] = {
        "machine": this_machine(),
        "few": again(folder, options.drops),
        "more": again(folder, 2 * options.drops),
    }
    measured["many"] = many(folder, options.files)
    (options.into / "many-files.md").write_text(page(measured, options.drops), encoding="utf-8")
    for name, value in ratios(measured).items():
        say(f"{name}: {value:.2f}, at most {BARS[name]}")
    if past := [name for name, value in ratios(measured).items() if value > BARS[name]]:
        raise SystemExit(f"past the bar: {', '.join(past)}")


if __name__ == "__main__":
    main()
