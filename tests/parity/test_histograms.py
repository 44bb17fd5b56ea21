"""Histograms are the same whole numbers on Sail and on Spark, and what numpy's exact exponents give."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.contract import Column, Contract
from expectations.drift.histogram import HUGE, INFINITE, MOST_CLASSES, PARTS, REACH, TINY, Histograms, Kind
from expectations.drift.histogram_query import count_histograms
from expectations.drift.histogram_rules import NO_CLUSTERS
from expectations.plan.execute_distributions import judge_distributions
from expectations.plan.outlier_clusters import Cluster, count_clusters
from expectations.plan.plan import Plan, make_plan
from expectations.suite import Rule, Suite
from lake.engine.engine import Engine

POWERS: Final = [2.0**power for power in range(-REACH - 2, REACH + 3)]
EDGES: Final = [
    number
    for power in POWERS
    for part in (power, power * (1 + 1 / PARTS), power * (1 + 63 / PARTS))
    for number in (np.nextafter(part, 0), part, np.nextafter(part, math.inf))
]
DOUBLES: Final = [
    *EDGES,
    *[-number for number in EDGES],
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    5e-324,
    1.8e308,
    0.1,
    1 / 3,
]
WHOLE: Final = [
    sign * number
    for power in range(60)
    for number in (2**power - 1, 2**power, 2**power + 1)
    for sign in (1, -1)
    if number < 10**18
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
    numbers = np.array(
        [value for value in values if value is not None and not math.isnan(value)], dtype=np.float64
    )
    fraction, exponent = np.frexp(np.abs(numbers))
    fraction = np.where(np.isinf(numbers), 0.5, fraction)
    codes = (
        (exponent.astype(np.int64) - 1 + REACH) * PARTS
        + np.floor((fraction * 2 - 1) * PARTS).astype(np.int64)
        + TINY
        + 1
    )
    codes = np.where(
        np.abs(numbers) < 2.0**-REACH, TINY, np.where(np.abs(numbers) >= 2.0**REACH, HUGE, codes)
    )
    codes = np.where(np.isinf(numbers), INFINITE, codes) * np.sign(numbers).astype(np.int64)
    return Counter(codes.tolist())


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert ROWS > MOST_CLASSES
    path = tmp_path_factory.mktemp("histograms") / "rows.parquet"
    types = {"double": pa.float64(), "integer": pa.int64(), "flag": pa.bool_()}
    pq.write_table(
        pa.table({name: pa.array(values, types.get(name, pa.string())) for name, values in TABLE.items()}),
        path,
    )
    return path


def counted(engine: Engine, path: Path, *, passing: str = "true") -> Histograms:
    return count_histograms(engine.spark.read.parquet(path.as_uri()), KINDS, engine.rows, passing=passing)


def plan_of(*rules: dict[str, Any]) -> Plan:
    made = [
        Rule(str(rule["group_by"]), NO_CLUSTERS, rule, "warn", "distribution", row_rule=False)
        for rule in rules
    ]
    columns = (
        Column("number", "integer"),
        Column("sensor", "string", classification="personal"),
        Column("at", "timestamp"),
    )
    contract = Contract(
        name="t", kind="dataset", path=Path("t"), hash="", columns=columns, key=("at",), write_mode="append"
    )
    return make_plan(Suite("t", "processed", tuple(made)), contract)


def check_clusters(engine: Engine, path: Path, *asked: str) -> None:
    """Sensor b tells its numbers in another unit within one hour, and now and then any sensor is off."""
    start, rows = datetime(2013, 1, 1, tzinfo=UTC), range(2400)
    broken = {row for row in rows if row // 60 == 7 and row % 2}
    table = {
        "number": [
            None if row % 11 == 0 else 5000 if row in broken or row % 400 == 3 else 40 + row % 13
            for row in rows
        ],
        "sensor": ["ab"[row % 2] for row in rows],
        "at": [start + timedelta(minutes=row) for row in rows],
    }
    pq.write_table(
        pa.table(
            table, pa.schema({"number": pa.int64(), "sensor": pa.string(), "at": pa.timestamp("us", "UTC")})
        ),
        path,
    )
    plan = plan_of(*({"column": "number", "group_by": by, "max_share": 0.5} for by in asked))
    frame = engine.spark.read.parquet(path.as_uri())
    seen = count_histograms(frame, plan.histograms, engine.rows)
    found = count_clusters(frame, plan, seen, engine.rows)
    there = [row for row in rows if row % 11]
    off = [row for row in there if row in broken or row % 400 == 3]
    both = {"all_rows": len(there), "all_outliers": len(off)}
    hour = Cluster(
        sum(row // 60 == 7 for row in there), sum(row // 60 == 7 for row in off), groups=40, **both
    )
    sensor = Cluster(sum(row % 2 for row in there), sum(row % 2 for row in off), groups=2, **both)
    assert found == {by: {"sensor": sensor, "at": hour}[by] for by in asked}
    assert judge_distributions(plan, seen, {}, clusters=found)["at"].failed == 1
    nothing = count_clusters(frame, plan, Histograms(), engine.rows)
    assert judge_distributions(plan, Histograms(), {}, clusters=nothing)["at"].success


def check(found: Histograms) -> None:
    for name in ("double", "integer"):
        assert found.columns[name].bins == reference(TABLE[name]), name
    for name in ("text", "most"):
        assert found.columns[name].classes == Counter(value for value in TABLE[name] if value is not None), (
            name
        )
    assert found.columns["flag"].classes == {
        "true": TABLE["flag"].count(True),
        "false": TABLE["flag"].count(False),
    }
    assert (found.columns["many"].too_many, found.columns["many"].classes) == (True, {})
    assert (found.columns["double"].nan, found.rows) == (1, ROWS)
    assert {name: item.nulls for name, item in found.columns.items()} == {
        name: values.count(None) for name, values in TABLE.items()
    }
    assert {item.rows for item in found.columns.values()} == {ROWS}
    assert "needle" not in found.text()


def test_bins_are_those_of_the_exact_exponents_on_sail(sail_engine: Engine, path: Path) -> None:
    check(counted(sail_engine, path))
    few = counted(sail_engine, path, passing="`double` = 0D")
    assert (few.rows, few.columns["double"].bins) == (2, {0: 2})
    assert counted(sail_engine, path, passing="false").rows == 0
    check_clusters(sail_engine, path.parent / "clusters.parquet", "sensor", "at")


@pytest.mark.spark
def test_bins_are_those_of_the_exact_exponents_on_spark(spark_engine: Engine, path: Path) -> None:
    check(counted(spark_engine, path))
    check_clusters(spark_engine, path.parent / "clusters.parquet", "at")
