"""What becomes of texts, typed while they are parsed or by the engine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.contract import Column, ColumnType, Contract
from expectations.typed_frame import ROW, typed
from lake.engine.engine import Engine
from lake.parsing.fast_typing import part_plain
from lake.parsing.staging_file import ARROW, StagingWriter


def read(
    engine: Engine, folder: Path, kinds: list[tuple[ColumnType, str | None, list[str]]], *, parsed: bool
) -> list[list[Any]]:
    """What becomes of each kind's texts; `parsed`: plain ones are typed while they are parsed,
    each in a block of its own.
    """
    columns = tuple(
        Column(f"c{number}", kind, format=pattern) for number, (kind, pattern, _) in enumerate(kinds)
    )
    contract = Contract(
        name="x", kind="dataset", path=Path("x"), hash="", columns=columns, key=(), write_mode="append"
    )
    rows = max(len(texts) for _, _, texts in kinds)
    table = pa.table(
        {
            f"c{n}": pa.array([*texts, *[None] * (rows - len(texts))], pa.string())
            for n, (_, _, texts) in enumerate(kinds)
        }
    )
    table = table.append_column(ROW, pa.array(range(rows), pa.int64()))
    if parsed:
        plain = [(column.name, column.type) for column in columns if column.plain]
        table = pa.concat_tables(part_plain(table.slice(row, 1), plain) for row in range(rows))
    path = folder / f"{parsed}{ARROW if engine.name == 'sail' else '.parquet'}"
    writer = StagingWriter(path, table.schema)
    writer.write(table.columns)
    writer.close()
    found = engine.arrow(typed(engine.read_staging(path), contract)).sort_by(ROW)
    return [
        _years(found[column.name])[: len(texts)] for column, (_, _, texts) in zip(columns, kinds, strict=True)
    ]


def _years(values: pa.ChunkedArray) -> list[Any]:
    """As Python's values, or as a number where Python has none: then it is wrong,
    and the others are still told.
    """
    try:
        return list(values.to_pylist())
    except (OverflowError, ValueError):
        return list(values.cast(pa.int32() if pa.types.is_date(values.type) else pa.int64()).to_pylist())


def shown(value: Any) -> str:
    """A value as text that tells -0.0 from 0.0, and no kind of UTC from another."""
    return value.isoformat() if isinstance(value, date) else repr(value)
