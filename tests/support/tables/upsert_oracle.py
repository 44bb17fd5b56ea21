"""The law of upsert in plain Python, and the table that the lake's own code keeps of the same drops."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.contract import Column, Contract, Upsert
from expectations.typed_frame import DROP, ROW
from lake.engine.engine import Engine
from lake.tables.upsert import (
    KEY_EXISTS,
    MERGE_ACTION,
    MERGE_ACTIONS,
    classify_rows,
    deleted_keys,
    rows_after,
)

UPSERT = Upsert(order="at", tombstone="coalesce(`gone`, false)")
CONTRACT = Contract(
    name="rides",
    kind="dataset",
    path=Path("rides.odcs.yaml"),
    hash="",
    columns=(
        Column("ride", "integer"),
        Column("city", "string"),
        Column("at", "double"),
        Column("fare", "double"),
        Column("gone", "boolean"),
    ),
    key=("ride", "city"),
    write_mode="upsert",
    upsert=UPSERT,
)
SCHEMA = pa.schema(
    [
        ("ride", pa.int64()),
        ("city", pa.string()),
        ("at", pa.float64()),
        ("fare", pa.float64()),
        ("gone", pa.bool_()),
        (DROP, pa.string()),
        (ROW, pa.int64()),
    ]
)


class Row(NamedTuple):
    """A delivered row; its drop and record number are its place."""

    ride: int
    city: str
    at: float
    fare: float | None
    gone: bool | None


ROWS = st.builds(
    Row,
    st.integers(1, 4),
    st.sampled_from(["A", "Ö"]),
    st.sampled_from([-math.inf, -1.0, -0.0, 0.0, 1.0, 2.0, math.inf, math.nan]),
    st.sampled_from([None, 0.0, -0.0, math.nan]),
    st.sampled_from([None, False, True]),
)
DROPS = st.lists(st.lists(ROWS, max_size=8), min_size=1, max_size=4)


class Told(NamedTuple):
    """What counts of a key: its place among all that was told of it, and the row."""

    place: tuple[bool, float, str, int]
    row: Row


def same(one: Row, other: Row) -> bool:
    """Whether two rows hold the same values: NaN is NaN, and -0.0 is 0.0."""
    return [plain(item) for item in one] == [plain(item) for item in other]


def plain(value: Any) -> Any:
    return "nan" if isinstance(value, float) and math.isnan(value) else value


class Oracle:
    """The same, row by row in Python."""

    def __init__(self) -> None:
        self.table: dict[tuple[int, str], Told] = {}
        self.gone: dict[tuple[int, str], Told] = {}

    def take(self, rows: list[Row], drop: str) -> Counter[str]:
        newest: dict[tuple[int, str], Told] = {}
        for number, row in enumerate(rows, 1):
            known = math.isfinite(row.at)
            told, key = Told((known, row.at if known else 0.0, drop, number), row), (row.ride, row.city)
            newest[key] = told if key not in newest else max(told, newest[key], key=lambda item: item.place)
        fates = Counter(self._fate(key, told) for key, told in newest.items())
        return fates + Counter(outdated=len(rows) - len(newest))

    def _fate(self, key: tuple[int, str], told: Told) -> str:
        stands, gone = self.table.get(key), self.gone.get(key)
        if (gone and gone.place > told.place) or (
            stands and stands.place > told.place and not same(stands.row, told.row)
        ):
            return "outdated"
        if told.row.gone:
            self.table.pop(key, None)
            self.gone[key] = told
            return "tombstone"
        self.gone.pop(key, None)
        if stands and same(stands.row, told.row):
            self.table[key] = max(told, stands, key=lambda item: item.place)
            return "unchanged"
        self.table[key] = told
        return "updated" if stands else "inserted"

    def rows(self) -> set[Any]:
        return {tuple(map(plain, told.row)) for told in self.table.values()}


class Kept:
    """The two tables, as the engine leaves them."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.times = engine, folder, 0
        self.table: Any = None
        self.gone: Any = None
        self.before = 0

    def frame(self, rows: pa.Table) -> Any:
        self.times += 1
        path = self.folder / f"{self.times}.parquet"
        parquet.write_table(rows, path)
        return self.engine.read_parquet([path.as_uri()])

    def take(self, rows: list[Row], drop: str) -> Counter[str]:
        listed = [{**row._asdict(), DROP: drop, ROW: number} for number, row in enumerate(rows, 1)]
        fates = classify_rows(
            CONTRACT, UPSERT, self.frame(pa.Table.from_pylist(listed, SCHEMA)), self.table, self.gone
        )
        found = self.engine.arrow(fates.select(ROW, MERGE_ACTION, KEY_EXISTS))
        assert sorted(found[ROW].to_pylist()) == list(range(1, len(rows) + 1))
        counted = Counter(found[MERGE_ACTION].to_pylist())
        deleted = sum(
            fate == "tombstone" and there
            for fate, there in zip(
                found[MERGE_ACTION].to_pylist(), found[KEY_EXISTS].to_pylist(), strict=True
            )
        )
        after, gone = (
            self.engine.arrow(rows_after(CONTRACT, fates, self.table)),
            self.engine.arrow(deleted_keys(CONTRACT, UPSERT, fates, self.gone)),
        )
        assert after.num_rows == self.before + counted["inserted"] - deleted
        self.before = after.num_rows
        self.table, self.gone = self.frame(after.cast(SCHEMA)), self.frame(gone)
        return counted

    def rows(self) -> set[Any]:
        return {
            tuple(plain(item[name]) for name in Row._fields)
            for item in self.engine.arrow(self.table).to_pylist()
        }


def names(number: int) -> str:
    """Names whose order isn't that in which the drops come, as hashes are."""
    return f"drop{(number * 3) % 5}"


def check(engine: Engine, folder: Path, drops: list[list[Row]]) -> None:
    oracle, kept = Oracle(), Kept(engine, folder)
    for number, rows in enumerate(drops):
        counted = kept.take(rows, name := names(number))
        assert counted == oracle.take(rows, name)
        assert set(counted) <= set(MERGE_ACTIONS)
        assert kept.rows() == oracle.rows()
