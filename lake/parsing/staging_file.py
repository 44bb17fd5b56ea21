"""The staging file: a drop's rows as they were parsed, written once, and read once by an engine.

An Arrow file (IPC) where the engine reads one, which is bytes out of memory and back; else Parquet, plain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

ARROW: Final = ".arrow"
"""Suffix of a staging file that is no Parquet."""


class StagingWriter:
    """Writes tables of one schema to a staging file, whose suffix says what it is."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        # What makes Parquet smaller costs more time than it saves.
        plain: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}
        arrow = path.suffix == ARROW
        self._writer: Any = (
            pa.ipc.new_file(str(path), schema) if arrow else pq.ParquetWriter(path, schema, **plain)
        )

    def write(self, columns: Sequence[Any]) -> None:
        """Append rows, given as columns of the schema."""
        self._writer.write_table(pa.Table.from_arrays(list(columns), schema=self.schema))

    def close(self) -> None:
        """Complete the file."""
        self._writer.close()


def as_parquet(path: Path, *, over: int) -> Path:
    """The staging file, made into Parquet where it is an Arrow file of more than `over` bytes."""
    if path.suffix != ARROW or path.stat().st_size <= over:
        return path
    made = path.with_suffix(".parquet")
    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_file(file)
        writer = StagingWriter(made, reader.schema)
        for number in range(reader.num_record_batches):
            writer.write(reader.get_batch(number).columns)
        writer.close()
    path.unlink()
    return made


def read_staging(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All columns of a staging file, or those of these that it has."""
    import pyarrow.dataset as ds

    file = ds.dataset(path, format="ipc" if path.suffix == ARROW else "parquet")
    return file.to_table(columns and [name for name in columns if name in file.schema.names])


def int64(values: npt.NDArray[np.int64]) -> pa.Array:
    """As `pa.array`, which would import pandas first: a second, once per process."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])
