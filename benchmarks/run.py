"""`make bench`: every program on every case, the median of three, into docs/benchmarks.json and docs/benchmarks.md.

Programs take turns within a round, so that what else the machine does falls on all of them. A program's figures count only
where its two tables and its counts per rule are the ones that all others found.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final

from benchmarks import arena, watch
from benchmarks.case import Case, write_case
from benchmarks.contestants import CONTESTANTS, Contestant
from benchmarks.data import write_delivery, write_reference
from benchmarks.page import write_page
from benchmarks.rules import FEW, MANY, NARROW, WIDE

LIMIT: Final = 600.0
"""Seconds after which a program is stopped and reported as such."""
SLOW: Final = 60.0
"""Seconds of a first run after which a program isn't run again in that case: no noise is as large as what it shows."""
GRID_ROWS: Final = 1_000_000
ROWS: Final = (100_000, GRID_ROWS, 5_000_000, 20_000_000)
WARM_UP: Final = 10_000
"""Rows of a run of each program that isn't counted: caches of bytecode and jars are there then, for all of them."""

MEASURED: Final = ("wall", "cpu", "others", "memory", "anonymous", "written", "stored")


@dataclass
class Result:
    """The runs of one program on one case."""

    contestant: str
    runs: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether it isn't run again."""
        return bool(self.problem) or bool(self.runs and self.runs[0]["wall"] > SLOW)

    def summary(self) -> dict[str, Any]:
        """Medians, and what was found."""
        told: dict[str, Any] = {"contestant": self.contestant, "problem": self.problem}
        if self.runs:
            told |= {name: statistics.median(run[name] for run in self.runs) for name in MEASURED}
            steps = self.runs[0]["steps"]
            told["steps"] = {
                name: round(statistics.median(run["steps"].get(name, 0.0) for run in self.runs), 3)
                for name in steps
            }
            told["walls"] = [run["wall"] for run in self.runs]
        return told | {name: self.answer.get(name) for name in ("valid", "quarantined")}


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """The grid: all of it at 1 M rows, 8 columns and 12 rules at the other sizes."""
    for rows in ROWS:
        shapes = product((len(NARROW), WIDE), (FEW, MANY)) if rows == GRID_ROWS else [(len(NARROW), FEW)]
        for (columns, rules), dirty in product(shapes, (False, True)):
            case = Case("", rows, columns, rules, dirty, "", "")
            wanted = (
                (options.rows, rows),
                (options.columns, columns),
                (options.rules, rules),
                (options.dirt, "dirty" if dirty else "clean"),
            )
            if all(chosen is None or value in chosen for chosen, value in wanted):
                yield case


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
        told = {
            "rows": case.rows,
            "columns": case.columns,
            "rules": case.rules,
            "dirty": case.dirty,
            "name": case.name,
            "delivery": size,
        }
        told |= {"ended": now(), "rounds": rounds}
        return told | {"results": [result.summary() for result in results.values()]}

    def _run(self, one: Contestant, case: Case, delivery: Path, stocked: Path, result: Result) -> None:
        told = Case(**(asdict(case) | {"csv": str(delivery), "kind": one.kind}))
        with arena.opened(stocked, self.folder / "run", told) as place:
            before, file = place.stored, self.folder / "case.json"
            write_case(file, place.case)
            python = self.options.rivals_python if one.rivals else sys.executable
            environ = {
                "GX_ANALYTICS_ENABLED": "false",
                "RUST_LOG": "off",
                "NO_PROXY": "127.0.0.1,localhost",
                **one.environment,
            }
            command = [python, "-m", one.module, str(file)]
            seen = watch.run(
                command, folder=arena.ROOT, environ=environ, server=place.server, limit=LIMIT, log=self.folder
            )
            file.unlink()
            if seen.timed_out or seen.code:
                (self.folder / f"{one.name}.errors.txt").write_text(seen.errors)
                result.problem = (
                    f"over {LIMIT / 60:.0f} minutes" if seen.timed_out else f"ended with {seen.code}"
                )
                say(f"  {one.name:14} {result.problem}: see {self.folder / one.name}.errors.txt")
                return
            answer = json.loads(seen.out.strip().splitlines()[-1])
            if (found := place.rows()) != (answer["valid"], answer["quarantined"]):
                result.problem = f"its tables hold {found[0]} and {found[1]} rows, it told of {answer['valid']} and {answer['quarantined']}"
                return
            run = {
                "wall": round(seen.wall, 3),
                "cpu": round(seen.cpu, 2),
                "stored": place.stored - before,
                "steps": answer.pop("steps"),
            }
            run |= {
                "others": round(seen.others, 2),
                "memory": seen.memory,
                "anonymous": seen.anonymous,
                "written": seen.written,
            }
        answer.pop("content")
        if result.answer and result.answer != answer:
            result.problem = "two runs gave two answers"
        result.answer = answer
        result.runs.append(run)
        say(
            f"  {one.name:14} {run['wall']:8.2f} s   cpu {run['cpu']:8.2f} s   peak {run['memory'] / 2**20:8,.0f} MiB"
        )


def refuse_disagreement(results: Sequence[Result]) -> None:
    """Where answers differ, only the figures of a majority count, and nobody's where there is none."""
    answered = [result for result in results if result.answer and not result.problem]
    texts = [json.dumps(result.answer, sort_keys=True) for result in answered]
    if len(set(texts)) > 1:
        usual = statistics.mode(texts)
        for result, text in zip(answered, texts, strict=True):
            if text != usual or texts.count(usual) * 2 <= len(texts):
                result.problem, result.runs = "other counts than the others", []
                say(f"  {result.contestant} disagrees: {text}")


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    names = [one.name for one in CONTESTANTS]
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=names, help="these programs")
    parser.add_argument("--rows", nargs="+", type=int, choices=ROWS, help="these sizes")
    parser.add_argument("--columns", nargs="+", type=int, choices=(len(NARROW), WIDE))
    parser.add_argument("--rules", nargs="+", type=int, choices=(FEW, MANY))
    parser.add_argument("--dirt", nargs="+", choices=("clean", "dirty"))
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the median counts")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="100,000 rows, 8 columns, 12 rules, dirty, one round: does it all still run?",
    )
    parser.add_argument("--cold", action="store_true", help="without the run before, that isn't counted")
    parser.add_argument(
        "--rivals-python", default=sys.executable, help="the interpreter that has DuckDB and pandera"
    )
    parser.add_argument(
        "--folder", type=Path, default=arena.ROOT / ".bench", help="for deliveries and homes, some GB"
    )
    parser.add_argument(
        "--add",
        action="store_true",
        help="keep the other cases that were measured into the same folder before",
    )
    parser.add_argument(
        "--into", type=Path, help="where benchmarks.json and benchmarks.md go; docs/ for a whole run"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.rows, options.columns, options.rules, options.dirt, options.repeat = (
            [ROWS[0]],
            [len(NARROW)],
            [FEW],
            ["dirty"],
            1,
        )
    options.folder = options.folder.absolute()
    if options.add and options.only:
        parser.error("--add needs all programs: they are measured against each other")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    options = parsed(arguments)
    whole = not any((options.only, options.rows, options.columns, options.rules, options.dirt))
    into = options.into or (arena.ROOT / "docs" if whole else options.folder)
    body: dict[str, Any] = {
        "machine": arena.machine(),
        "versions": arena.versions(sys.executable) | arena.versions(options.rivals_python),
    }
    found = earlier(into / "benchmarks.json", body) if options.add else {}
    shutil.rmtree(options.folder, ignore_errors=True)
    bench = Bench(options.folder, options)
    into.mkdir(parents=True, exist_ok=True)
    for case in bench.all():  # it takes hours: what was measured is kept, whatever becomes of the rest
        found[case["name"]] = case
        body["of"] = len(list(cases(parsed([]))))
        body["cases"] = sorted(
            found.values(), key=lambda item: (item["rows"], item["columns"], item["rules"], item["dirty"])
        )
        (fresh := into / "benchmarks.json.tmp").write_text(json.dumps(body, indent=1) + "\n")
        fresh.replace(into / "benchmarks.json")
        write_page(body, into / "benchmarks.md")
    say(f"written: {into / 'benchmarks.md'}")
    return int(
        any(
            result["problem"].startswith(("its", "two", "other"))
            for case in found.values()
            for result in case["results"]
        )
    )


def earlier(file: Path, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The cases that were measured before, by name: on this machine, with these versions, or they are no part of the same page."""
    known = json.loads(file.read_text()) if file.exists() else body | {"cases": []}
    if other := [name for name, value in body.items() if known[name] != value]:
        raise SystemExit(
            f"{file} was measured with another {' and other '.join(other)}: measure all of it anew, without --add"
        )
    return {case["name"]: case for case in known["cases"]}


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    raise SystemExit(main())
