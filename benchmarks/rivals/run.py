"""`make bench`: every program on every case, the median of three, into two files of docs/.

Programs take turns within a round, so that what else the machine does falls on all of them. A program's
figures count only where its two tables and its counts per rule are the ones that all others found.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import ROOT, say, this_machine, versions
from benchmarks.rivals import arena, watch
from benchmarks.rivals.case import Case, write_case
from benchmarks.rivals.contestants import CONTESTANTS, Contestant
from benchmarks.rivals.data import write_delivery, write_reference
from benchmarks.rivals.options import cases, parsed
from benchmarks.rivals.page import write_page
from benchmarks.rivals.results import Result, refuse_disagreement
from benchmarks.rivals.rules import FEW, NARROW

LIMIT: Final = 600.0
"""Seconds after which a program is stopped and reported as such."""
WARM_UP: Final = 10_000
"""Rows of a run of each program that isn't counted: caches of bytecode and jars are there then, for all of
them."""
ENVIRONMENT: Final = {
    "GX_ANALYTICS_ENABLED": "false",
    "RUST_LOG": "off",
    "NO_PROXY": "127.0.0.1,localhost",
}


class Bench:
    """One measurement: its folder, its options, and the programs that take part."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder, options
        self.contestants = [one for one in CONTESTANTS if options.only is None or one.name in options.only]
        self.airports = folder / "airports.csv"
        folder.mkdir(parents=True, exist_ok=True)
        write_reference(self.airports)

    def all(self) -> Iterator[dict[str, Any]]:
        """Every case, one after the other."""
        chosen = list(cases(self.options))
        if chosen and not self.options.cold:
            self.measure(Case("", WARM_UP, len(NARROW), FEW, dirty=True, place="", scratch=""), rounds=1)
        for case in chosen:
            yield self.measure(case, rounds=self.options.repeat)

    def measure(self, case: Case, *, rounds: int) -> dict[str, Any]:
        """The rounds of one case."""
        say(f"{case.name}:")
        delivery, stocked = self.folder / "trips.csv", self.folder / f"stocked-{case.columns}-{case.rules}"
        write_delivery(delivery, rows=case.rows, columns=case.columns, dirty=case.dirty)
        if not stocked.exists():
            arena.stock(stocked, case, self.airports)
        results = {one.name: Result(one.name) for one in self.contestants}
        for _ in range(rounds):
            for one in self.contestants:
                if not results[one.name].ended:
                    self._run(one, case, delivery, stocked, results[one.name])
        refuse_disagreement(list(results.values()))
        size = delivery.stat().st_size
        delivery.unlink()
        return {
            "rows": case.rows,
            "columns": case.columns,
            "rules": case.rules,
            "dirty": case.dirty,
            "name": case.name,
            "delivery": size,
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "rounds": rounds,
            "results": [result.summary() for result in results.values()],
        }

    def _run(self, one: Contestant, case: Case, delivery: Path, stocked: Path, result: Result) -> None:
        case = replace(case, csv=str(delivery), kind=one.kind)
        with arena.opened(stocked, self.folder / "run", case) as place:
            before, file = place.stored, self.folder / "case.json"
            write_case(file, place.case)
            python = self.options.rivals_python if one.rivals else sys.executable
            command = [python, "-m", one.module, str(file)]
            environ = ENVIRONMENT | one.environment
            server, log = place.server, self.folder
            seen = watch.run(command, folder=ROOT, environ=environ, server=server, limit=LIMIT, log=log)
            file.unlink()
            if seen.timed_out or seen.code:
                errors = self.folder / f"{one.name}.errors.txt"
                errors.write_text(seen.errors)
                over = f"over {LIMIT / 60:.0f} minutes"
                result.problem = over if seen.timed_out else f"ended with {seen.code}"
                say(f"  {one.name:14} {result.problem}: see {errors}")
                return
            outcome = json.loads(seen.out.strip().splitlines()[-1])
            counted = (outcome["valid"], outcome["quarantined"])
            if (found := place.rows()) != counted:
                holds = f"its tables hold {found[0]} and {found[1]} rows"
                result.problem = f"{holds}, it counted {counted[0]} and {counted[1]}"
                return
            stored = place.stored - before
        result.add(seen, outcome, stored)
        peak = f"{seen.memory / 2**20:8,.0f} MiB"
        say(f"  {one.name:14} {seen.wall:8.2f} s   cpu {seen.cpu:8.2f} s   peak {peak}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    options = parsed(arguments, description=__doc__)
    whole = not any((options.only, options.rows, options.columns, options.rules, options.dirt))
    into = options.into or (ROOT / "docs" if whole else options.folder)
    body: dict[str, Any] = {
        "machine": this_machine(),
        "versions": versions(sys.executable) | versions(options.rivals_python),
    }
    found = earlier(into / "benchmarks.json", body) if options.add else {}
    shutil.rmtree(options.folder, ignore_errors=True)
    bench = Bench(options.folder, options)
    into.mkdir(parents=True, exist_ok=True)
    for case in bench.all():  # it takes hours: what was measured is written at once
        found[case["name"]] = case
        body["of"] = len(list(cases(parsed([]))))
        body["cases"] = sorted(found.values(), key=itemgetter("rows", "columns", "rules", "dirty"))
        (fresh := into / "benchmarks.json.tmp").write_text(json.dumps(body, indent=1) + "\n")
        fresh.replace(into / "benchmarks.json")
        write_page(body, into / "benchmarks.md")
    say(f"written: {into / 'benchmarks.md'}")
    problems = [result["problem"] for case in found.values() for result in case["results"]]
    return int(any(problem.startswith(("its", "two", "other")) for problem in problems))


def earlier(file: Path, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The cases that were measured before, by name.

    Raises:
        SystemExit: They were measured on another machine or with other versions, so they are no part of the
            page.
    """
    known = json.loads(file.read_text()) if file.exists() else body | {"cases": []}
    if other := [name for name, value in body.items() if known[name] != value]:
        what = f"{file} was measured with another {' and other '.join(other)}"
        raise SystemExit(f"{what}: measure all of it anew, without --add")
    return {case["name"]: case for case in known["cases"]}


if __name__ == "__main__":
    raise SystemExit(main())
