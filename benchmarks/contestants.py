"""Who runs: each a script of its own, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True)
class Contestant:
    """A program, the environment that it runs in, and where it writes; `good` are the hand-written ones to be measured against."""

    name: str
    title: str
    module: str
    kind: Literal["lakegate", "lakefs", "local"] = "lakefs"
    rivals: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    good: bool = False


CONTESTANTS: Final = (
    Contestant(
        "lakegate",
        "Lakegate, raw and processed hop published",
        "benchmarks.lakegate_ingest",
        "lakegate",
        rivals=False,
    ),
    Contestant("duckdb", "DuckDB + delta-rs", "benchmarks.duckdb_delta", good=True),
    Contestant("polars", "polars + delta-rs", "benchmarks.polars_delta", good=True),
    Contestant("pandera", "pandera on polars", "benchmarks.pandera_polars"),
    Contestant(
        "gx-sail",
        "GX on Sail, filter, two writes",
        "benchmarks.gx_spark",
        rivals=False,
        environment={"LAKEGATE_BENCH_ENGINE": "sail"},
    ),
    Contestant(
        "gx-spark",
        "GX on local Spark, filter, two writes",
        "benchmarks.gx_spark",
        rivals=False,
        environment={"LAKEGATE_BENCH_ENGINE": "spark"},
    ),
    Contestant(
        "duckdb-local", "DuckDB + delta-rs, to a plain local disk", "benchmarks.duckdb_delta", "local"
    ),
    Contestant(
        "polars-local", "polars + delta-rs, to a plain local disk", "benchmarks.polars_delta", "local"
    ),
)
