"""The content hash: golden values, and its laws, on the embedded engine (tests/parity compares the engines)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.contract import Column, Contract
from lake.content import MODULUS, add, content_of
from lake.engine import Engine
from lakegate.home import Endpoint
from lakegate.settings import Settings

CONTRACT = Contract(
    name="all_types",
    kind="dataset",
    path=Path("all_types.odcs.yaml"),
    hash="",
    columns=(
        Column("text", "string"),
        Column("whole", "integer"),
        Column("real", "double"),
        Column("flag", "boolean"),
        Column("day", "date"),
        Column("at", "timestamp"),
    ),
    key=("text",),
    write_mode="append",
)
SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("whole", pa.int64()),
        ("real", pa.float64()),
        ("flag", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
    ]
)
Row = tuple[Any, ...]
NOON = dt.datetime(2013, 11, 3, 12, 0, 0, 1, tzinfo=dt.UTC)
ONE: Row = ("é", -7, 1.5, True, dt.date(2013, 1, 31), NOON)
NOTHING: Row = (None, None, None, None, None, None)
EMPTY: Row = ("", 0, 0.0, False, dt.date(1970, 1, 1), dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Sail alone: these frames lie on local disk, so no lakeFS is asked."""
    home = tmp_path_factory.mktemp("content")
    return Engine(Settings.load(home=home, environ={}), Endpoint("http://127.0.0.1:9", "none", "none"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


def content(engine: Engine, folder: Path, *files: list[Row]) -> tuple[int, int]:
    uris = []
    for number, rows in enumerate(files):
        columns = list(zip(*rows, strict=True)) or [[] for _ in SCHEMA]
        path = folder / f"part{number}.parquet"
        parquet.write_table(
            pa.table([pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA), path
        )
        uris.append(path.as_uri())
    return content_of(engine, engine.read_parquet(uris), CONTRACT)


GOLDEN = {
    "one row of each type": ([ONE], "1f31fad7ecde64d2a919cbd9c4965a15"),
    "NULLs alone": ([NOTHING], "6fd53702b79384a12516d8d1b3d16c18"),
    "empty text and zeros": ([EMPTY], "1010a3a702b4e2c68f1844fea429c1de"),
    "two equal rows, every column constant": ([ONE, ONE], "3e63f5afd9bcc9a5523397b3892cb42a"),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_values_hold_for_good(engine: Engine, folder: Path, case: str) -> None:
    rows, golden = GOLDEN[case]
    number, count = content(engine, folder, rows)
    assert (f"{number:032x}", count) == (golden, len(rows))


def test_null_differs_from_empty_and_from_zero(engine: Engine, folder: Path) -> None:
    assert content(engine, folder, [NOTHING]) != content(engine, folder, [EMPTY])


def test_zero_has_one_sign_and_nan_one_payload(engine: Engine, folder: Path) -> None:
    def with_real(value: float) -> Row:
        return (*ONE[:2], value, *ONE[3:])

    assert content(engine, folder, [with_real(0.0)]) == content(engine, folder, [with_real(-0.0)])
    assert content(engine, folder, [with_real(float("nan"))]) == content(engine, folder, [with_real(-float("nan"))])
    assert content(engine, folder, [with_real(float("nan"))]) != content(engine, folder, [with_real(float("inf"))])


def test_values_do_not_run_into_each_other(engine: Engine, folder: Path) -> None:
    first, second = ("n;1:7;", *ONE[1:]), ("n;", *ONE[1:])
    assert content(engine, folder, [first]) != content(engine, folder, [second])


rows_of_any_kind = st.lists(
    st.tuples(
        st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(),
        st.none() | st.booleans(),
        st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
        st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=dt.UTC)),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=rows_of_any_kind, second=rows_of_any_kind)
def test_order_and_files_change_nothing_and_parts_add_up(engine: Engine, folder: Path, first: list[Row], second: list[Row]) -> None:
    apart, together = content(engine, folder, first, second), content(engine, folder, (first + second)[::-1])
    assert apart == together
    assert apart[1] == len(first) + len(second)
    separate = [content(engine, folder, part)[0] for part in (first, second)]
    assert sum(separate) % MODULUS == apart[0]
    assert add(add(None, separate[0]), separate[1]) == f"{apart[0]:032x}"
