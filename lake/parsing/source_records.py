"""A drop's records as its file has them, by number: cut out of its bytes for quarantined rows alone."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from expectations.plan.rule_bitmask import masks, quarantine_words, reasons
from expectations.typed_frame import DROP, RECORD, ROW
from lake.parsing.staging_file import int64

if TYPE_CHECKING:
    import pyarrow as pa

    from expectations.plan.plan import Plan

REASONS: Final = "_reasons"
COLUMNS: Final = (DROP, ROW, "_file", REASONS, "_suite", "_attempt", RECORD)
"""Of the quarantine, in their order."""
BATCH: Final = 50_000
"""Records cut together: bounds memory."""


class Originals(Protocol):
    """A file's records as they were delivered, by number."""

    def cut(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """The readable records of these numbers, which ascend, as text."""
        ...


@dataclass(frozen=True)
class ByteRanges:
    """Originals of a text format: the plain file, and a file of two 64-bit numbers a record.

    They say where it starts, and where it ends without its terminator.
    """

    plain: Path
    bounds: Path

    def cut(self, rows: npt.NDArray[np.int64]) -> pa.Array:
        """The readable records of these numbers, which ascend, as text."""
        import pyarrow as pa

        if not len(rows):
            return pa.array([], pa.string())
        bounds = np.memmap(self.bounds, np.int64, mode="r").reshape(-1, 2)
        edges = np.ascontiguousarray(bounds[rows - 1]).reshape(-1)
        with self.plain.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # Strings laid over the file's bytes, those between records left out.
        laid = pa.LargeStringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), pa.py_buffer(data))
        return laid.take(pa.array(np.arange(0, len(edges), 2))).cast(pa.string())


def quarantined_marks(plan: Plan, labelled: Path) -> pa.Table:
    """`_row` and the mask columns of the quarantined rows, by number; `labelled` is a folder of Parquet."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    chosen = ds.scalar(value=False)
    for name, word in quarantine_words(plan).items():
        chosen |= pc.bit_wise_and(ds.field(name), word) != 0
    schema = pa.schema([(name, pa.int64()) for name in (ROW, *masks(plan))])
    if not labelled.exists():  # Sail makes no folder for no rows
        return schema.empty_table()
    return ds.dataset(labelled, schema, format="parquet").to_table(filter=chosen).sort_by(ROW)


def quarantined_rows(
    plan: Plan, marks: pa.Table, originals: Originals | None, constants: Mapping[str, str]
) -> pa.RecordBatchReader:
    """Quarantined rows by number: `_row`, `_reasons`, the original `_record`, and columns of `constants`.

    Args:
        plan: Of the suite whose rules they break.
        marks: What `quarantined_marks` gave.
        originals: Where their records are cut from.
        constants: Text columns of one value each.
    """
    import pyarrow as pa

    kinds = {ROW: pa.int64(), REASONS: pa.list_(pa.string())}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])

    def batches() -> Iterator[pa.RecordBatch]:
        for at in range(0, marks.num_rows, BATCH):
            part = marks.slice(at, BATCH)
            rows = part.column(ROW).to_numpy()
            made = {name: pa.repeat(value, part.num_rows) for name, value in constants.items()}
            made[ROW] = int64(rows)
            made[REASONS] = reasons(plan, {name: part.column(name).to_numpy() for name in masks(plan)})
            made[RECORD] = originals.cut(rows) if originals else pa.nulls(part.num_rows, pa.string())
            yield pa.RecordBatch.from_arrays([made[name] for name in COLUMNS], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
