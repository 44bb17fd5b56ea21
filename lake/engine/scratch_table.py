"""A table in scratch that rows are added to, part by part, and that is read as one frame however many parts there were.

A frame made of all of them, one joined to the other, would be planned anew by each query, and takes longer the more there are.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lake.engine.engine import Engine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MANY: Final = 16
"""Parts of a size that are made one: each row is written again once for each power of it, and no query opens many files."""


class ScratchTable:
    """Rows of the same columns, in a folder of their own.

    A frame of it is good until it changes, or the engine is started anew.
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
        """Evaluate rows once, which may come of the table itself, into the files of all of it."""
        before, self._levels = self._levels, []
        self._keep(rows, 0)
        for parts in before:
            _remove(parts)

    def frame(self) -> DataFrame | None:
        """All rows; None before there were any to be added, be it none."""
        if parts := [part for level in self._levels for part in level]:
            return self._read(parts)
        return None if self._schema is None else self._engine.no_rows(self._schema)

    def with_others(self, others: DataFrame | None) -> DataFrame | None:
        """The same and other rows of these columns, where there are such."""
        rows = self.frame()
        return others if rows is None else rows if others is None else others.unionByName(rows)

    def _keep(self, rows: DataFrame, level: int) -> None:
        self._made += 1
        written = self._engine.write_scratch(rows, part := self._folder / f"part{self._made}")
        if self._schema is None:
            self._schema = written.schema
        if not _files(part):  # Sail writes none of no rows
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
