"""Who runs: each a script of its own, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True)
class Contestant:
    """A program, the environment that it runs in, and where it writes.

    `good` are the hand-written ones, against which Lakegate is measured.
    """

    name: str
    title: str
    module: str
    kind: Literal["lakegate", "lakefs", "local"] = "lakefs"
    rivals: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    good: bool = False


DUCKDB: Final = "benchmarks.rivals.programs.duckdb_delta"
POLARS: Final = "benchmarks.rivals.programs.polars_delta"
CONTESTANTS: Final = (
    Contestant(
        "lakegate",
        "Lakegate, raw and processed hop published",
        "benchmarks.rivals.programs.lakegate_ingest",
        "lakegate",
        rivals=False,
    ),
    Contestant("duckdb", "DuckDB + delta-rs", DUCKDB, good=True),
    Contestant("polars", "polars + delta-rs", POLARS, good=True),
    Contestant("pandera", "pandera on polars", "benchmarks.rivals.programs.pandera_polars"),
    Contestant(
        "gx-sail",
        "GX on Sail, filter, two writes",
        "benchmarks.rivals.programs.gx_spark",
        rivals=False,
        environment={"LAKEGATE_BENCH_ENGINE": "sail"},
    ),
    Contestant(
        "gx-spark",
        "GX on local Spark, filter, two writes",
        "benchmarks.rivals.programs.gx_spark",
        rivals=False,
        environment={"LAKEGATE_BENCH_ENGINE": "spark"},
    ),
    Contestant("duckdb-local", "DuckDB + delta-rs, to a plain local disk", DUCKDB, "local"),
    Contestant("polars-local", "polars + delta-rs, to a plain local disk", POLARS, "local"),
)
