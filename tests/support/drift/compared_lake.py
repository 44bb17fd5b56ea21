"""A lake of histograms whose versions are compared, and parts of a version with few columns."""

from __future__ import annotations

import json
from typing import Any

from catalog.contract import Column
from catalog.drift import Drift
from expectations.drift.compare_columns import ComparedColumn
from expectations.drift.histogram import Histogram, Histograms
from lake.reports.compare import VersionComparison, compare
from tests.support.catalog.contracts import things
from tests.support.drift.histogram_lake import KeptLake

CONTRACT = things(
    Column("id", "integer"),
    Column("size", "integer"),
    Column("group", "string"),
    Column("city", "string"),
    Column("person", "string", classification="personal"),
    drift=Drift(left_out=("city",), pinned=1, season=3),
)
USUAL = dict.fromkeys(range(100, 130), 10)


def part(
    *,
    size: dict[int, int] | None = None,
    group: dict[str, int] | None = None,
    city: str = "x",
    nulls: int = 3,
) -> Histograms:
    """The rows of a version: 300 sizes, three groups, one city and a personal column of which NULL alone is
    counted.
    """
    sizes, groups = size or USUAL, group or {"a": 100, "b": 100, "c": 100}
    rows = sum(sizes.values())
    columns = {
        "size": Histogram("integer", rows, bins=sizes),
        "group": Histogram("class", rows, classes=groups),
        "city": Histogram("class", rows, classes={city: rows}),
        "person": Histogram("presence", rows, nulls=nulls),
    }
    return Histograms(rows, columns)


def found(lake: KeptLake, version: str = "things@v4", **options: Any) -> VersionComparison:
    lake.read.clear()
    told = compare(lake.session, version, **options)
    json.dumps(told.to_json(), allow_nan=False)
    return told


def by_name(told: VersionComparison) -> dict[str, ComparedColumn]:
    return {item.column: item for item in told.columns}
