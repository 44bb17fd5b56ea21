"""What a staging file is makes no difference to what it holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from catalog.contract import Column, Contract, FileFormat
from expectations.plan.plan import make_plan
from expectations.suite import Rule, Suite
from lake.hops.delivery_cache import parse_file
from lake.parsing.csv.parse import parse
from lake.parsing.source_records import quarantined_marks
from lake.parsing.staging_file import read_staging
from lakegate.settings import Settings

FORMAT = FileFormat(
    null_values=("", "NA"), typed=(("n", "integer"), ("x", "double"), ("at", "timestamp"), ("on", "date"))
)
CONTRACT = Contract(
    name="rides",
    kind="dataset",
    path=Path("rides.odcs.yaml"),
    hash="",
    columns=(Column("n", "integer"),),
    key=(),
    write_mode="append",
)
ROWS = {
    "n": ["7", "seven", None, "12"],
    "x": ["1.5", "1e3", "0.25", None],
    "at": ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00+01:00", None, "2013-11-03T05:00:00Z"],
    "on": ["2024-02-29", "2024-02-30", "2024-01-01", None],
    "word": ["a", "b", None, "d"],
}


@pytest.mark.parametrize(
    ("engine", "spare", "suffix"), [("sail", 0, ".arrow"), ("sail", -1, ".parquet"), ("spark", 0, ".parquet")]
)
def test_engine_is_given_no_arrow_file_that_is_larger_than_it_may_be(
    tmp_path: Path, engine: str, spare: int, suffix: str
) -> None:
    """The bound is the Arrow file's size: of short numbers that is several times the text's."""
    (tmp_path / "drop.csv").write_text("n,x,at,on,word\n" + "7,1,,,a\n" * 20_000)
    settings = replace(Settings.load(home=tmp_path, project=tmp_path), engine=engine, memory=1 << 30)
    (folder := tmp_path / "large").mkdir()
    whole = parse_file(tmp_path / "drop.csv", FORMAT, folder, settings=settings)
    assert whole.staging is not None
    parse(tmp_path / "drop.csv", FORMAT, into=tmp_path / "staging.arrow")
    size = (tmp_path / "staging.arrow").stat().st_size
    assert size > 4 * (tmp_path / "drop.csv").stat().st_size
    found = parse_file(
        tmp_path / "drop.csv",
        FORMAT,
        tmp_path / "bounded",
        settings=replace(settings, memory=2 * (size + spare)),
    )
    assert found.staging is not None
    assert found.staging.suffix == suffix
    assert [item.name for item in found.staging.parent.glob("staging.[ap]*")] == [found.staging.name]
    assert read_staging(found.staging) == read_staging(whole.staging)


@pytest.mark.parametrize("name", ["staging.arrow", "staging.parquet"])
@pytest.mark.parametrize("rows", [4, 0])
def test_rows_come_back_whatever_the_file_is(tmp_path: Path, name: str, rows: int) -> None:
    lines = [
        ",".join(ROWS),
        *(",".join(value or "NA" for value in row) for row in list(zip(*ROWS.values(), strict=True))[:rows]),
    ]
    (tmp_path / "drop.csv").write_text("\n".join(lines) + "\n")
    found = parse(tmp_path / "drop.csv", FORMAT, into=tmp_path / name)
    assert found.staging == tmp_path / name
    assert found.readable == rows
    table = read_staging(found.staging)
    assert table["_row"].to_pylist() == list(range(1, rows + 1))
    assert table["word"].to_pylist() == ROWS["word"][:rows]
    assert table["__plain_n"].to_pylist() == [7, None, None, 12][:rows]
    assert table["n"].to_pylist() == [None, "seven", None, None][:rows]
    assert read_staging(found.staging, ["word", "nowhere"]).column_names == ["word"]


def test_rows_that_were_not_labelled_are_not_set_aside(tmp_path: Path) -> None:
    rule = Rule(
        "r1", "expect_column_values_to_not_be_null", {"column": "n"}, "quarantine", "schema", row_rule=True
    )
    plan = make_plan(Suite("rides", "processed", (rule,)), CONTRACT)
    found = quarantined_marks(plan, tmp_path / "never made")
    assert (found.num_rows, found.column_names) == (0, ["_row", "__broken0"])
