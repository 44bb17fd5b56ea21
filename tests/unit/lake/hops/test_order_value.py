"""The value that orders a drop is typed before it is compared, whatever an older release recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.contract import Column, ColumnType, Contract, FileFormat
from lake.engine.engine import Engine
from lake.hops.order_value import OrderValue, comes_before, order_value, rank
from lake.parsing.csv.parse import parse


def least(tmp_path: Path, kind: ColumnType, *texts: str) -> OrderValue | None:
    """The order of a delivery of plain values, which no engine is asked for."""
    columns = (Column("at", kind, required=True), Column("x", "string"))
    plain = tuple((column.name, column.type) for column in columns if column.plain)
    contract = Contract(
        "x", "dataset", Path("x"), "", columns, (), "append", order_by="at", file=FileFormat(typed=plain)
    )
    (tmp_path / "drop.csv").write_text("at,x\n" + "".join(f"{text},\n" for text in texts))
    found = parse(tmp_path / "drop.csv", contract.file, into=tmp_path / "staging.arrow")
    return order_value(cast("Engine", None), contract, found)


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        ("integer", ["10", "9", "-2"], -2),
        ("double", ["10", "9.5", "11"], 9.5),
        ("date", ["2024-02-01", "2024-01-31"], "2024-01-31"),
        ("timestamp", ["2024-02-01T00:00:00Z", "2024-01-31T05:00:00Z"], "2024-01-31T05:00:00Z"),
        ("string", ["b", "a"], "a"),
        ("string", ["\x1b[31m"], None),
        ("date", [""], None),
    ],
)
def test_least_value_is_the_least_of_its_type(
    tmp_path: Path, kind: ColumnType, texts: list[str], expected: Any
) -> None:
    assert least(tmp_path, kind, *texts) == expected


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("integer", 9, 10),
        ("double", "9.5", 10.0),  # an older release recorded text
        ("date", "2024-01-31", "2024-02-01"),
        ("timestamp", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.500000Z"),
        ("timestamp", "2024-01-01T01:00:00+02:00", "2024-01-01T00:00:00Z"),
        ("timestamp", "2024-01-01 00:00:00", "2024-01-01T00:00:01Z"),
        ("string", "a", "b"),
    ],
)
def test_order_is_told_by_the_type(kind: ColumnType, first: OrderValue, second: OrderValue) -> None:
    assert (comes_before(first, second, kind), comes_before(second, first, kind)) == (True, False)
    assert not comes_before(first, first, kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("date", "31.01.2024"), ("double", "NaN"), ("double", "inf"), ("integer", "x"), ("string", 5)],
)
def test_value_that_is_none_of_the_type_comes_before_nothing(kind: ColumnType, value: OrderValue) -> None:
    assert rank(value, kind) is None
    assert not comes_before(value, value, kind)


@given(st.datetimes(), st.datetimes())
def test_times_come_as_they_are(one: Any, other: Any) -> None:
    assert comes_before(f"{one.isoformat()}Z", f"{other.isoformat()}Z", "timestamp") == (one < other)
