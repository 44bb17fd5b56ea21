"""A drop's records as they stood in its file, by number: cut out of its bytes where a row is set aside, and nowhere else."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from expectations.frame import RECORD, ROW
from expectations.masks import masks, reasons

if TYPE_CHECKING:
    import pyarrow as pa

    from expectations.plan import Plan

REASONS: Final = "_reasons"
BATCH: Final = 200_000
"""Records cut together: bounds memory."""


@dataclass(frozen=True)
class Originals:
    """The plain file, and a file of two 64-bit numbers a record: where it starts, and where it ends without its terminator."""

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


def write_aside(plan: Plan, marks: pa.Table, originals: Originals | None, into: Path) -> Path:
    """Write rows that are set aside as Parquet: `_row`, `_reasons` and the original `_record`, by number.

    Args:
        plan: Of the suite that set them aside.
        marks: `_row` and the mask columns of each.
        originals: Where their records are cut from.
        into: The file.
    """
    import pyarrow as pa
    from pyarrow import parquet

    ordered = marks.sort_by(ROW)
    schema = pa.schema([(ROW, pa.int64()), (REASONS, pa.list_(pa.string())), (RECORD, pa.string())])
    with parquet.ParquetWriter(into, schema, compression="none") as writer:
        for at in range(0, ordered.num_rows, BATCH):
            part = ordered.slice(at, BATCH)
            rows = part.column(ROW).to_numpy()
            told = reasons(plan, {name: part.column(name).to_numpy() for name in masks(plan)})
            records = originals.cut(rows) if originals else pa.nulls(part.num_rows, pa.string())
            writer.write_table(pa.Table.from_arrays([pa.array(rows), told, records], schema=schema))
    return into
