"""Histograms are the same whole numbers on Sail and on Spark, and what numpy's exact exponents give."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.binning import count_histograms
from expectations.histogram import HUGE, INFINITE, MOST_CLASSES, PARTS, REACH, TINY, Histograms, Kind
from lake.engine import Engine

POWERS: Final = [2.0**power for power in range(-REACH - 2, REACH + 3)]
EDGES: Final = [
    number
    for power in POWERS
    for part in (power, power * (1 + 1 / PARTS), power * (1 + 63 / PARTS))
    for number in (np.nextafter(part, 0), part, np.nextafter(part, math.inf))
]
DOUBLES: Final = [*EDGES, *[-number for number in EDGES], 0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.8e308, 0.1, 1 / 3]
WHOLE: Final = [
    sign * number for power in range(60) for number in (2**power - 1, 2**power, 2**power + 1) for sign in (1, -1) if number < 10**18
]
ROWS: Final = 2 * len(DOUBLES)
KINDS: Final[dict[str, Kind]] = {
    "double": "double",
    "integer": "integer",
    "text": "class",
    "many": "class",
    "most": "class",
    "flag": "class",
    "person": "presence",
}
TABLE: Final = {
    "double": [*DOUBLES, *[None] * len(DOUBLES)],
    "integer": [WHOLE[row % len(WHOLE)] if row % 5 else None for row in range(ROWS)],
    "text": [["a", "", "é", "null", None][row % 5] for row in range(ROWS)],
    "many": [str(row % (MOST_CLASSES + 1)) if row % 5 else None for row in range(ROWS)],
    "most": [str(row % MOST_CLASSES) for row in range(ROWS)],
    "flag": [[True, False, None][row % 3] for row in range(ROWS)],
    "person": ["needle" if row % 4 else None for row in range(ROWS)],
}


def reference(values: list[Any]) -> Counter[int]:
    """The bins of numbers by numpy's frexp, written apart from the code."""
    numbers = np.array([value for value in values if value is not None and not math.isnan(value)], dtype=np.float64)
    fraction, exponent = np.frexp(np.abs(numbers))
    fraction = np.where(np.isinf(numbers), 0.5, fraction)
    codes = (exponent.astype(np.int64) - 1 + REACH) * PARTS + np.floor((fraction * 2 - 1) * PARTS).astype(np.int64) + TINY + 1
    codes = np.where(np.abs(numbers) < 2.0**-REACH, TINY, np.where(np.abs(numbers) >= 2.0**REACH, HUGE, codes))
    codes = np.where(np.isinf(numbers), INFINITE, codes) * np.sign(numbers).astype(np.int64)
    return Counter(codes.tolist())


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert ROWS > MOST_CLASSES
    path = tmp_path_factory.mktemp("histograms") / "rows.parquet"
    types = {"double": pa.float64(), "integer": pa.int64(), "flag": pa.bool_()}
    pq.write_table(pa.table({name: pa.array(values, types.get(name, pa.string())) for name, values in TABLE.items()}), path)
    return path


def counted(engine: Engine, path: Path, *, passing: str = "true") -> Histograms:
    return count_histograms(engine.spark.read.parquet(path.as_uri()), KINDS, engine.rows, passing=passing)


def check(found: Histograms) -> None:
    for name in ("double", "integer"):
        assert found.columns[name].bins == reference(TABLE[name]), name
    for name in ("text", "most"):
        assert found.columns[name].classes == Counter(value for value in TABLE[name] if value is not None), name
    assert found.columns["flag"].classes == {"true": TABLE["flag"].count(True), "false": TABLE["flag"].count(False)}
    assert (found.columns["many"].too_many, found.columns["many"].classes) == (True, {})
    assert (found.columns["double"].nan, found.rows) == (1, ROWS)
    assert {name: item.nulls for name, item in found.columns.items()} == {name: values.count(None) for name, values in TABLE.items()}
    assert {item.rows for item in found.columns.values()} == {ROWS}
    assert "needle" not in found.text()


def test_on_sail_bins_are_those_of_the_exact_exponents(sail_engine: Engine, path: Path) -> None:
    check(counted(sail_engine, path))
    few = counted(sail_engine, path, passing="`double` = 0D")
    assert (few.rows, few.columns["double"].bins) == (2, {0: 2})
    assert counted(sail_engine, path, passing="false").rows == 0


@pytest.mark.spark
def test_on_spark_bins_are_those_of_the_exact_exponents(spark_engine: Engine, path: Path) -> None:
    check(counted(spark_engine, path))
