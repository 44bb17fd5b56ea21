"""`make bench-reader`: the cost of proving each byte, against the reader before, which proved sizes.

Both read one table of forty columns: all of it, and one column; through the gateway of a lakeFS elsewhere,
and on the lake's machine, where the one before took the gateway with the lake's keys while lakeFS ran, and
hashed every file while it didn't. They take turns in one run. The result is docs/reading.md; a ratio past its
bar makes the run fail.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import ROOT, described, parser_of, say, this_machine
from benchmarks.reading import wide
from lake.server.lifecycle import ensure_server, stop_server
from lake.session import open_session
from lakegate.settings import Settings

BEFORE: Final = "c0232c1"
"""The last commit whose reader through lakeFS proved sizes."""
BARS: Final = {"all": 1.10, "one column of 40": 1.25}
"""How many times as long as the reader before it may take."""
READS: Final = {"all": "*", "one column of 40": "d7"}
SET: Final = "LAKEGATE_LAKEFS_"


@dataclass
class Reader:
    """A process that reads on request, and the seconds of its reads."""

    process: subprocess.Popen[str]
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in READS})

    @classmethod
    def of(cls, code: Path, name: str, home: Path, environ: dict[str, str]) -> Reader:
        """One that takes `lakegate` from a folder."""
        command = [sys.executable, str(Path(__file__).with_name("reads.py")), name, str(home)]
        env = {key: value for key, value in os.environ.items() if not key.startswith("LAKEGATE_")}
        env |= environ | {"PYTHONPATH": str(code)}
        process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        found = cls(process)
        if Path(found._reply()["lakegate"]).parent.parent != code:
            raise SystemExit(f"the reader of {code} is another one")
        return found

    def read(self, what: str) -> dict[str, Any]:
        """Read once."""
        if self.process.stdin is None:
            raise SystemExit("no pipe")
        self.process.stdin.write(f"{READS[what]}\n")
        self.process.stdin.flush()
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        if self.process.stdout is None or not (line := self.process.stdout.readline()):
            raise SystemExit("a reader ended")
        return dict(json.loads(line))


def compare(now: Reader, before: Reader, *, turns: int) -> None:
    """Let both read in turns; the first of each, in which everything is loaded, counts for nothing."""
    for what in READS:
        for turn in range(turns + 1):
            order = (now, before) if turn % 2 else (before, now)
            replies = {id(reader): reader.read(what) for reader in order}
            if len({(reply["rows"], reply["bytes"]) for reply in replies.values()}) != 1:
                raise SystemExit(f"they read different tables: {replies}")
            for reader in order if turn else ():
                reader.seconds[what].append(replies[id(reader)]["seconds"])
    for reader in (now, before):
        reader.process.communicate()


def row(way: str, what: str, now: Reader, before: Reader) -> dict[str, Any]:
    """A line of the page."""
    runs = now.seconds[what], before.seconds[what]
    mine, other = (statistics.median(seconds) for seconds in runs)
    found = {"way": way, "what": what, "now": mine, "before": other, "ratio": mine / other}
    say(json.dumps(found | {"runs": [[round(value, 4) for value in seconds] for seconds in runs]}))
    return found


def page(
    found: list[dict[str, Any]], *, rows: int, size: int, files: int, turns: int, machine: dict[str, Any]
) -> str:
    """docs/reading.md."""
    lines = [
        "# What it costs that every byte is proved",
        "",
        "Written by `make bench-reader`; don't edit it by hand. One version of forty columns, twelve of",
        "whole numbers, fourteen of doubles, eight of texts, four of times and two of booleans, all random:",
        f"{rows:,} rows, {size / 1e6:,.0f} MB in {files} files. `arrow()` with the reader of this checkout",
        f"and with the one of {BEFORE}, which checked sizes alone where it read through lakeFS. They read in",
        f"turns, {turns} times each; figures are medians.",
        "",
        described(machine),
        "",
        "| way | read | now | before | times |",
        "|---|---|---:|---:|---:|",
    ]
    for item in found:
        seconds = f"{item['now']:.3f} s | {item['before']:.3f} s"
        lines.append(f"| {item['way']} | {item['what']} | {seconds} | {item['ratio']:.2f} |")
    return "\n".join([*lines, ""])


def unpack(commit: str, folder: Path) -> Path:
    """The reader of a commit, in a folder of its own."""
    command = ["git", "archive", commit, "lakegate"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"git has no commit {commit} here: run this in a clone with its history")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def main() -> None:
    """Measure, and write the page."""
    parser = parser_of("bench-reader", __doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="show that it runs: few rows, and no bar counts")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench" / "reader")
    parser.add_argument("--into", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    rows, turns = (20_000, 1) if options.quick else (options.rows, options.turns)
    folder = options.folder.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    before = unpack(BEFORE, folder / "before")
    wide.write_project(folder / "project")
    settings = Settings.load(home=folder / "home", project=folder / "project", environ={})
    found: list[dict[str, Any]] = []

    def pit(way: str, environ: dict[str, str]) -> None:
        readers = [Reader.of(code, name, settings.home.root, environ) for code in (ROOT, before)]
        compare(*readers, turns=turns)
        found.extend(row(way, what, *readers) for what in READS)

    try:
        name = wide.publish(open_session(settings), rows=rows)
        endpoint = ensure_server(settings, say=print)
        environ = {
            f"{SET}URL": endpoint.url,
            f"{SET}KEY_ID": endpoint.key_id,
            f"{SET}SECRET": endpoint.secret,
            f"{SET}NAMESPACE": "local://",
        }
        pit("through the gateway of a lakeFS elsewhere", environ)
        pit("on the lake's machine, lakeFS runs", {})
    finally:
        stop_server(settings.home)
    pit("on the lake's machine, lakeFS is down", {})
    manifest = json.loads(settings.home.manifest_copy(settings.tenant, wide.TABLE, 1).read_bytes())
    sizes = [item["size"] for item in manifest["files"]]
    if options.quick:
        return
    options.into.mkdir(parents=True, exist_ok=True)
    body = page(found, rows=rows, size=sum(sizes), files=len(sizes), turns=turns, machine=this_machine())
    (options.into / "reading.md").write_text(body, encoding="utf-8")
    past = [item for item in found if item["ratio"] > BARS[item["what"]]]
    if past:
        raise SystemExit("\n".join(f"{item['way']}, {item['what']}: {item['ratio']:.2f}" for item in past))


if __name__ == "__main__":
    main()
