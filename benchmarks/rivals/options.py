"""The command line of `make bench`, and the cases that it chooses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.machine import ROOT, parser_of
from benchmarks.rivals.case import Case
from benchmarks.rivals.contestants import CONTESTANTS
from benchmarks.rivals.rules import FEW, MANY, NARROW, WIDE

GRID_ROWS: Final = 1_000_000
ROWS: Final = (100_000, GRID_ROWS, 5_000_000, 20_000_000)


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


def parsed(arguments: Sequence[str] | None = None, *, description: str = "") -> argparse.Namespace:
    """The command line."""
    names = [one.name for one in CONTESTANTS]
    parser = parser_of("bench", description)
    parser.add_argument("--only", nargs="+", choices=names, help="these programs")
    parser.add_argument("--rows", nargs="+", type=int, choices=ROWS, help="these sizes")
    parser.add_argument("--columns", nargs="+", type=int, choices=(len(NARROW), WIDE))
    parser.add_argument("--rules", nargs="+", type=int, choices=(FEW, MANY))
    parser.add_argument("--dirt", nargs="+", choices=("clean", "dirty"))
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the median counts")
    quick = "100,000 rows, 8 columns, 12 rules, dirty, one round: does it all still run?"
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--cold", action="store_true", help="without the run before, that isn't counted")
    interpreter = "the interpreter that has DuckDB and pandera"
    parser.add_argument("--rivals-python", default=sys.executable, help=interpreter)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".bench", help="of deliveries and homes, some GB"
    )
    parser.add_argument(
        "--add", action="store_true", help="add to the cases measured into the same folder before"
    )
    into = "where benchmarks.json and benchmarks.md go; docs/ for a whole run"
    parser.add_argument("--into", type=Path, help=into)
    options = parser.parse_args(arguments)
    if options.quick:
        options.rows, options.columns, options.rules = [ROWS[0]], [len(NARROW)], [FEW]
        options.dirt, options.repeat = ["dirty"], 1
    options.folder = options.folder.absolute()
    if options.add and options.only:
        parser.error("--add needs all programs: they are measured against each other")
    return options
