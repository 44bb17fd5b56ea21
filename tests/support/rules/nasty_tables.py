"""Tables of nasty values, drawn for each type of column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from hypothesis import strategies as st

from catalog.contract import Column, ColumnType, Contract

Row = dict[str, Any]

TYPES: Final[dict[str, ColumnType]] = {
    "name": "string",
    "other": "string",
    "first": "integer",
    "second": "integer",
    "real": "double",
    "real2": "double",
    "flag": "boolean",
    "day": "date",
    "at": "timestamp",
}
COLUMNS: Final = tuple(Column(name, kind) for name, kind in TYPES.items())
OTHER: Final = "others"
CONTRACT: Final = Contract(
    "mixed", "feature", Path("mixed.odcs.yaml"), "", COLUMNS, ("name",), "append", inputs=(OTHER,)
)

POOLS: Final[dict[ColumnType, list[Any]]] = {
    "string": [
        "",
        "a",
        "A",
        "ab",
        "abc",
        "a\n",
        "a\nb",
        "é",
        "e\u0301",
        "ß",
        "中文",
        "😀",
        "it's",
        '"a"',
        "\\",
        "a\\b",
        "%",
        "_",
        "50%",
        "a_b",
        " a",
    ],
    "integer": [0, 1, 2, 3, -1, 7, 10**18, -(10**18), 2**53 + 1, 2**53],
    "double": [0.0, -0.0, 0.5, 1.0, 2.0, 3.0, -2.5, 0.1, 5e-324, 1e18],
    "boolean": [False, True],
    "date": ["1969-12-31", "2013-01-31", "2020-02-29", "2020-03-01"],
    "timestamp": [
        "1969-12-31T23:59:59.999999",
        "2013-01-31T05:00:00",
        "2013-01-31T05:00:00.000001",
        "2020-02-29T12:30:00",
    ],
}
ODD: Final = [float("nan"), float("inf"), float("-inf")]
VALUES: Final[dict[ColumnType, st.SearchStrategy[Any]]] = {
    **{kind: st.sampled_from(pool) for kind, pool in POOLS.items()},
    "string": st.sampled_from(POOLS["string"])
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
    "integer": st.sampled_from(POOLS["integer"]) | st.integers(-5, 5),
    "double": st.sampled_from(POOLS["double"]) | st.floats(-5, 5, width=16),
}
"""Values as a contract writes them."""

_ARROW: Final[dict[ColumnType, pa.DataType]] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_READ: Final[dict[ColumnType, Callable[[str], Any]]] = {
    "date": date.fromisoformat,
    "timestamp": lambda value: datetime.fromisoformat(value).replace(tzinfo=UTC),
}


def _cell(kind: ColumnType, value: Any) -> Any:
    return _READ[kind](value) if kind in _READ else value


def _cells(kind: ColumnType, *, odd: bool) -> st.SearchStrategy[Any]:
    values = VALUES[kind].map(lambda value: _cell(kind, value))
    rare = st.sampled_from([None, *ODD]) if odd and kind == "double" else st.none()
    return st.integers(0, 3).flatmap(lambda turn: values if turn else rare)


def tables(*sizes: int) -> st.SearchStrategy[list[Row]]:
    """Rows of a table, with NaN and infinite numbers or without."""

    def rows(size: int, odd: bool) -> st.SearchStrategy[list[Row]]:
        row = st.fixed_dictionaries({name: _cells(kind, odd=odd) for name, kind in TYPES.items()})
        return st.lists(row, min_size=size, max_size=size)

    return st.tuples(st.sampled_from(sizes), st.booleans()).flatmap(lambda drawn: rows(*drawn))


def nasty(rows: int = 60, *, odd: bool) -> list[Row]:
    """One fixed table: each column turns through its values and NULL at a pace of its own."""
    found: list[Row] = [{} for _ in range(rows)]
    for pace, (name, kind) in enumerate(TYPES.items(), 1):
        pool = [
            None,
            *(_cell(kind, value) for value in POOLS[kind]),
            *(ODD if odd and kind == "double" else []),
        ]
        for number, row in enumerate(found):
            row[name] = pool[(number * pace + number // len(pool)) % len(pool)]
    return found


def arrow(rows: list[Row]) -> pa.Table:
    """Rows as a typed table, with the columns that name a row."""
    schema = pa.schema(
        [
            *((name, _ARROW[kind]) for name, kind in TYPES.items()),
            ("_row", pa.int64()),
            ("_record", pa.string()),
        ]
    )
    return pa.Table.from_pylist(
        [row | {"_row": number, "_record": ""} for number, row in enumerate(rows, 1)], schema
    )
