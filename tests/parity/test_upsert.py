"""The law of upsert: each key's newest row stands, every row is accounted for,
and the order that drops come in changes nothing.

The order is a number here, with all that a number can be: what is no finite number comes before every number,
and ties are decided by drop and record, of rows, tombstones and repeats alike.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.engine.engine import Engine
from tests.support.tables.upsert_oracle import DROPS, ROWS, Kept, Row, check, names


@settings(max_examples=20)
@given(drops=DROPS)
def test_each_row_has_the_fate_that_its_order_gives_it(
    sail_engine: Engine, tmp_path_factory: pytest.TempPathFactory, drops: list[list[Row]]
) -> None:
    check(sail_engine, tmp_path_factory.mktemp("upsert"), drops)


@pytest.mark.spark
@settings(max_examples=3)
@given(drops=DROPS)
def test_fates_are_those_of_the_order_on_spark_too(
    spark_engine: Engine, tmp_path_factory: pytest.TempPathFactory, drops: list[list[Row]]
) -> None:
    check(spark_engine, tmp_path_factory.mktemp("upsert"), drops)


@settings(max_examples=10)
@given(drops=st.lists(st.lists(ROWS, max_size=6), min_size=2, max_size=4), seed=st.randoms())
def test_order_that_drops_come_in_changes_nothing(
    sail_engine: Engine, tmp_path_factory: pytest.TempPathFactory, drops: list[list[Row]], seed: Any
) -> None:
    named = [(names(number), rows) for number, rows in enumerate(drops)]
    other = list(named)
    seed.shuffle(other)
    first, second = (Kept(sail_engine, tmp_path_factory.mktemp("upsert")) for _ in range(2))
    for kept, order in ((first, named), (second, other)):
        for name, rows in order:
            kept.take(rows, name)
    assert first.rows() == second.rows()


def take_all(engine: Engine, folder: Path) -> None:
    """shared/cases/54: NaN and infinity stand already, as an older release left them,
    and every number wins.
    """
    kept = Kept(engine, folder)

    def row(ride: int, fare: float, at: float, *, gone: bool | None = None) -> Row:
        return Row(ride, "A", at, fare, gone)

    assert kept.take([row(1, 1.0, math.nan), row(2, 1.0, math.inf), row(3, 1.0, -0.0)], "z") == {
        "inserted": 3
    }
    assert kept.take([row(1, 2.0, -5.0), row(2, 2.0, 5.0), row(3, 2.0, 0.0)], "a") == {
        "updated": 2,
        "outdated": 1,
    }
    assert kept.take([row(1, 3.0, math.nan), row(2, 3.0, math.inf), row(3, 1.0, 0.0)], "b") == {
        "outdated": 2,
        "unchanged": 1,
    }
    assert kept.take([row(3, 1.0, 0.0, gone=True)], "b") == {"outdated": 1}
    assert kept.take([row(3, 1.0, 0.0, gone=True)], "zz") == {"tombstone": 1}
    assert kept.rows() == {(1, "A", -5.0, 2.0, None), (2, "A", 5.0, 2.0, None)}


def test_every_number_wins_over_nan_and_infinity(sail_engine: Engine, tmp_path: Path) -> None:
    take_all(sail_engine, tmp_path)


@pytest.mark.spark
def test_every_number_wins_over_nan_and_infinity_on_spark_too(spark_engine: Engine, tmp_path: Path) -> None:
    take_all(spark_engine, tmp_path)
