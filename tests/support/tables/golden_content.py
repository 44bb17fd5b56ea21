"""Rows of every type, and the content hashes that they have for good, on every engine."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from catalog.contract import Column, Contract
from lake.engine.engine import Engine
from lake.tables.content_hash import content_of

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

GOLDEN = {
    "one row of each type": ([ONE], "84475fe95b6b32857922b3d6540ae5cb"),
    "NULLs alone": ([NOTHING], "dd208653c65fb32e8aae32ee950acd6a"),
    "empty text and zeros": ([EMPTY], "fbfedd8f743fc413a973a9c45c251765"),
    "two equal rows, every column constant": ([ONE, ONE], "088ebfd2b6d6650af24567aca815cb96"),
}


def content(engine: Engine, folder: Path, *files: list[Row]) -> tuple[int, int]:
    """Content hash and count of rows that lie in several files."""
    uris = []
    for number, rows in enumerate(files):
        columns = list(zip(*rows, strict=True)) or [[] for _ in SCHEMA]
        path = folder / f"part{number}.parquet"
        parquet.write_table(
            pa.table(
                [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)],
                schema=SCHEMA,
            ),
            path,
        )
        uris.append(path.as_uri())
    return content_of(engine, engine.read_parquet(uris), CONTRACT)
