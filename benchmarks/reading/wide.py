"""A table of forty columns, published by the usual hop; its values are random, so that nothing compresses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.rivals.contract import write_contract
from expectations.building.build import build_suite
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.hops.job import HopOutput, Job
from lake.hops.runner import run_hop
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.data_files import table_files
from lake.tables.writer import write_arrow
from lake.versions.publish import Candidate
from lakegate.manifest import Counts

if TYPE_CHECKING:
    import pyarrow as pa

TABLE: Final = "wide"
KINDS: Final = {"i": "integer", "d": "number", "s": "string", "t": "timestamp", "b": "boolean"}
"""Logical types by the letter that a column's name begins with."""
COLUMNS: Final = [
    *(f"i{at}" for at in range(12)),
    *(f"d{at}" for at in range(14)),
    *(f"s{at}" for at in range(8)),
    *(f"t{at}" for at in range(4)),
    *(f"b{at}" for at in range(2)),
]
BATCH: Final = 100_000


def write_project(folder: Path) -> None:
    """A lake's folder with the table's contract."""
    properties: list[dict[str, Any]] = [{"name": name, "logicalType": KINDS[name[0]]} for name in COLUMNS]
    # Every contract needs a key; nothing is judged.
    properties[0] |= {"primaryKey": True, "primaryKeyPosition": 1, "required": True}
    write_contract(folder, TABLE, properties, mode="append")


def publish(session: Session, *, rows: int) -> str:
    """Publish it, and say as which version."""
    contract = session.catalog.get(TABLE)
    path, cause = paths.processed_table(TABLE), hashlib.sha256(f"{TABLE} {rows}".encode()).hexdigest()

    def write(candidate: Candidate, _: StepTimer) -> HopOutput:
        import pyarrow as pa

        batches = made(rows, cause)
        first = next(batches)
        reader = pa.RecordBatchReader.from_batches(first.schema, (batch for batch in (first, *batches)))
        added = write_arrow(
            session, reader, ref=candidate.branch, path=path, mode="append", statistics=[DROP, ROW]
        )
        files = table_files(session, candidate.branch, path, known=[], added=added)
        counts = Counts(rows, rows, 0, 0, before=0, inserted=rows, deleted=0, after=rows)
        return HopOutput((), counts, files, content_hash="0")

    suite = build_suite(contract, "processed", session.settings.project)
    job = Job(
        hop="processed",
        table=TABLE,
        dataset=TABLE,
        cause=cause,
        root=path,
        contract=contract,
        suite=suite,
        write=write,
    )
    return str(run_hop(session, job).version)


def made(rows: int, drop: str) -> Iterator[pa.RecordBatch]:
    """The same rows each time."""
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(20261130)
    for start in range(0, rows, BATCH):
        count = min(BATCH, rows - start)
        draw = {
            "i": lambda n=count: random.integers(0, 10**9, n),
            "d": lambda n=count: random.normal(size=n),
            "s": lambda n=count: pa.array(random.choice(10**6, n).astype("U7")),
            "t": lambda n=count: pa.array(random.integers(0, 2 * 10**15, n), pa.timestamp("us", "UTC")),
            "b": lambda n=count: random.random(n) < 0.5,  # noqa: PLR2004
        }
        columns = {name: draw[name[0]]() for name in COLUMNS}
        columns |= {DROP: pa.repeat(drop, count), ROW: np.arange(start, start + count)}
        yield pa.RecordBatch.from_pydict(columns)
