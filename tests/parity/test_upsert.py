"""The law of upsert: each key's newest row stands, every row is accounted for, and the order that drops come in changes nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.contract import Column, Contract, Upsert
from expectations.frame import DROP, ROW
from lake.engine import Engine
from lake.upsert import FATE, FATES, THERE, find_fates, keys_gone, rows_after

UPSERT = Upsert(order="at", tombstone="coalesce(`gone`, false)")
CONTRACT = Contract(
    name="rides",
    kind="dataset",
    path=Path("rides.odcs.yaml"),
    hash="",
    columns=(
        Column("ride", "integer"),
        Column("city", "string"),
        Column("at", "integer"),
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
        ("at", pa.int64()),
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
    at: int
    fare: float | None
    gone: bool | None


ROWS = st.builds(
    Row,
    st.integers(1, 4),
    st.sampled_from(["A", "Ö"]),
    st.integers(1, 6),
    st.sampled_from([None, 1.5, 2.5]),
    st.sampled_from([None, False, True]),
)
DROPS = st.lists(st.lists(ROWS, max_size=8), min_size=1, max_size=4)


class Oracle:
    """The same, row by row in Python."""

    def __init__(self) -> None:
        self.table: dict[tuple[int, str], Row] = {}
        self.gone: dict[tuple[int, str], int] = {}

    def take(self, rows: list[Row]) -> Counter[str]:
        newest: dict[tuple[int, str], int] = {}
        for number, row in enumerate(rows):
            key = row.ride, row.city
            if key not in newest or row.at >= rows[newest[key]].at:
                newest[key] = number
        return Counter(self._fate(row) if newest[row.ride, row.city] == number else "outdated" for number, row in enumerate(rows))

    def _fate(self, row: Row) -> str:
        key = row.ride, row.city
        stands = self.table.get(key)
        if self.gone.get(key, 0) >= row.at or (stands and stands.at > row.at):
            return "outdated"
        if row.gone:
            self.table.pop(key, None)
            self.gone[key] = row.at
            return "tombstone"
        if stands and stands == row:
            return "unchanged"
        if stands and stands.at == row.at:
            return "outdated"
        self.gone.pop(key, None)
        self.table[key] = row
        return "updated" if stands else "inserted"


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
        fates = find_fates(CONTRACT, UPSERT, self.frame(pa.Table.from_pylist(listed, SCHEMA)), self.table, self.gone)
        found = self.engine.arrow(fates.select(ROW, FATE, THERE))
        assert sorted(found[ROW].to_pylist()) == list(range(1, len(rows) + 1))
        counted = Counter(found[FATE].to_pylist())
        deleted = sum(fate == "tombstone" and there for fate, there in zip(found[FATE].to_pylist(), found[THERE].to_pylist(), strict=True))
        after, gone = (
            self.engine.arrow(rows_after(CONTRACT, fates, self.table)),
            self.engine.arrow(keys_gone(CONTRACT, UPSERT, fates, self.gone)),
        )
        assert after.num_rows == self.before + counted["inserted"] - deleted
        self.before = after.num_rows
        self.table, self.gone = self.frame(after.cast(SCHEMA)), self.frame(gone)
        return counted

    def rows(self) -> set[Row]:
        return {Row(*(item[name] for name in Row._fields)) for item in self.engine.arrow(self.table).to_pylist()}


def check(engine: Engine, folder: Path, drops: list[list[Row]]) -> None:
    oracle, kept = Oracle(), Kept(engine, folder)
    for number, rows in enumerate(drops):
        counted = kept.take(rows, f"drop{number}")
        assert counted == oracle.take(rows)
        assert set(counted) <= set(FATES)
        assert kept.rows() == set(oracle.table.values())


@settings(max_examples=25)
@given(drops=DROPS)
def test_each_row_has_the_fate_that_its_order_gives_it(
    sail_engine: Engine, tmp_path_factory: pytest.TempPathFactory, drops: list[list[Row]]
) -> None:
    check(sail_engine, tmp_path_factory.mktemp("upsert"), drops)


@pytest.mark.spark
@settings(max_examples=3)
@given(drops=DROPS)
def test_on_spark_too(spark_engine: Engine, tmp_path_factory: pytest.TempPathFactory, drops: list[list[Row]]) -> None:
    check(spark_engine, tmp_path_factory.mktemp("upsert"), drops)


@settings(max_examples=15)
@given(
    drops=st.lists(st.lists(ROWS, max_size=6, unique_by=lambda row: (row.ride, row.city, row.at)), min_size=2, max_size=3),
    seed=st.randoms(),
)
def test_the_order_that_drops_come_in_changes_nothing(
    sail_engine: Engine, tmp_path_factory: pytest.TempPathFactory, drops: list[list[Row]], seed: Any
) -> None:
    """Where no two rows of a key have the same order and different values: of those, what stands stays."""
    taken: set[tuple[int, str, int]] = set()
    for rows in drops:
        rows[:] = [row for row in rows if (row.ride, row.city, row.at) not in taken]
        taken |= {(row.ride, row.city, row.at) for row in rows}
    other = list(drops)
    seed.shuffle(other)
    first, second = (Kept(sail_engine, tmp_path_factory.mktemp("upsert")) for _ in range(2))
    for kept, order in ((first, drops), (second, other)):
        for number, rows in enumerate(order):
            kept.take(rows, f"drop{number}")
    assert first.rows() == second.rows()
