"""The benchmark asks all programs the same: its contract gives Lakegate exactly the listed rules,
its data breaks each of them.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.rivals.contract import write_project
from benchmarks.rivals.data import reference_codes, write_delivery
from benchmarks.rivals.results import Result, refuse_disagreement
from benchmarks.rivals.rules import DATASET, FEW, MANY, NARROW, WIDE, columns_of, rules_of
from benchmarks.rivals.watch import Seen, run
from catalog.files import load_catalog
from expectations.building.build import build_suite


@pytest.mark.parametrize("width", [len(NARROW), WIDE])
@pytest.mark.parametrize("number", [FEW, MANY])
def test_contract_gives_the_listed_rules(tmp_path: Path, width: int, number: int) -> None:
    write_project(tmp_path, columns=width, rules=number)
    contract = load_catalog(tmp_path).get(DATASET)
    suite = build_suite(contract, "processed", tmp_path)
    own = {"repeated-header"}  # of the delivery's text, which the others' programs never see
    assert {rule.id for rule in suite.rules} == {rule.id for rule in rules_of(width, number)} | own
    assert len(suite.rules) == number + len(own)
    assert [column.name for column in contract.columns] == list(columns_of(width))


def test_deliveries_are_the_same_bytes_every_time_and_dirty_in_one_row_of_five(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        write_delivery(tmp_path / name, rows=20_000, columns=8, dirty=True)
    write_delivery(tmp_path / "clean.csv", rows=20_000, columns=8, dirty=False)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    dirty, clean = (pl.read_csv(tmp_path / f"{name}.csv", infer_schema=False) for name in ("one", "clean"))
    changed = (
        dirty.select(pl.any_horizontal(pl.col(name).ne_missing(clean[name]) for name in dirty.columns))
        .to_series()
        .mean()
    )
    assert changed == pytest.approx(0.2, abs=0.01)
    assert clean["id"].n_unique() == clean.height
    assert set(clean["origin"]) <= set(reference_codes())
    assert all(re.fullmatch("N[0-9]{1,4}[A-Z]{0,2}", tail) for tail in clean["tail"].unique())


def test_figures_of_a_program_that_found_other_rows_are_refused() -> None:
    results = [
        Result(name, [{"wall": 1.0}], outcome={"valid": valid})
        for name, valid in (("a", 5), ("b", 5), ("c", 4))
    ]
    refuse_disagreement(results)
    assert [bool(result.problem) for result in results] == [False, False, True]
    pair = [Result(name, [{"wall": 1.0}], outcome={"valid": valid}) for name, valid in (("a", 5), ("b", 4))]
    refuse_disagreement(pair)
    assert all(result.problem and not result.runs for result in pair)


def _watched(tmp_path: Path, code: str, *, limit: float) -> Seen:
    return run(
        [sys.executable, "-c", code],
        folder=tmp_path,
        environ={},
        server=os.getpid(),
        limit=limit,
        log=tmp_path,
    )


def test_watch_adds_up_memory_and_cpu_over_all_processes_of_a_program(tmp_path: Path) -> None:
    child = (
        "import time; held = bytearray(60_000_000); end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\ntime.sleep(0.4)"
    )
    both = (
        f"import subprocess, sys; held = bytearray(60_000_000); subprocess.run([sys.executable, '-c', "
        f"{child!r}]); print('done')"
    )
    alone = _watched(tmp_path, "import time; time.sleep(0.4)", limit=20)
    seen = _watched(tmp_path, both, limit=20)
    assert (seen.code, seen.out) == (0, "done\n")
    assert seen.anonymous - alone.anonymous > 110_000_000
    assert seen.cpu >= 0.3


def test_program_over_the_limit_is_stopped_with_its_children_and_reported_as_such(tmp_path: Path) -> None:
    seen = _watched(tmp_path, "import subprocess; subprocess.run(['sleep', '60'])", limit=0.5)
    assert seen.timed_out
    assert 0.5 <= seen.wall < 10
