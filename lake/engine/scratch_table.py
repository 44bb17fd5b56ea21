"""A table in the scratch folder that grows part by part, and is read as one frame.

A union of the parts' frames would be planned again by each query, which takes longer the more parts there
are.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lake.engine.engine import Engine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MANY: Final = 16
"""Parts of one size that are merged into one, so that no query opens many files."""


class ScratchTable:
    """Rows of the same columns, in a folder of their own.

    A frame of it is valid until the table changes, or the engine starts again.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._levels: list[list[Path]] = []
        self._made = 0
        self._schema: Any = None

    def add(self, rows: DataFrame) -> None:
        """Evaluate rows once, into files that join the others."""
        self._keep(rows, 0)
        for level, parts in enumerate(self._levels):
            if len(parts) == MANY:
                self._keep(self._read(parts), level + 1)
                _remove(parts)

    def replace(self, rows: DataFrame) -> None:
        """Replace the table's rows by others, which may be computed from them; they are evaluated once."""
        before, self._levels = self._levels, []
        self._keep(rows, 0)
        for parts in before:
            _remove(parts)

    def frame(self) -> DataFrame | None:
        """All rows; None before the first `add`."""
        if parts := [part for level in self._levels for part in level]:
            return self._read(parts)
        return None if self._schema is None else self._engine.no_rows(self._schema)

    def with_others(self, others: DataFrame | None) -> DataFrame | None:
        """All rows and `others`, which have the same columns; None where there are neither."""
        rows = self.frame()
        return others if rows is None else rows if others is None else others.unionByName(rows)

    def _keep(self, rows: DataFrame, level: int) -> None:
        self._made += 1
        written = self._engine.write_scratch(rows, part := self._folder / f"part{self._made}")
        if self._schema is None:
            self._schema = written.schema
        if not _files(part):  # Sail writes no file for no rows
            return
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(part)

    def _read(self, parts: list[Path]) -> DataFrame:
        return self._engine.read_parquet([file.as_uri() for part in parts for file in _files(part)])


def _files(part: Path) -> list[Path]:
    return sorted(part.glob("*.parquet"))


def _remove(parts: list[Path]) -> None:
    for part in parts:
        shutil.rmtree(part)
    parts.clear()
