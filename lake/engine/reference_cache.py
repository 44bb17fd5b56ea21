"""Pinned versions of references: a run reads each from the lake once, then its copy in the scratch folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from lake.engine.engine import Engine
from lake.runtime.scratch import scratch
from lakegate.manifest import Manifest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SMALL: Final = 1_000_000
"""Rows up to which a reference is copied: opening a table in the lake takes longer than reading it."""


class ReferenceCache:
    """Processed tables by version. They never change, so a copy is as good as the table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._copies: dict[str, DataFrame] = {}
        self._stack: contextlib.ExitStack | None = None

    @contextlib.contextmanager
    def caching(self) -> Iterator[None]:
        """Hold copies until this ends; a session enters it once."""
        with contextlib.ExitStack() as stack:
            self._stack = stack
            stack.callback(self._end)
            yield

    def _end(self) -> None:
        self._stack = None
        self.forget()

    def forget(self) -> None:
        """Forget the frames of an engine that has ended; each version is read from the lake again."""
        self._copies.clear()

    def copies(self, manifest: Manifest) -> bool:
        """Whether a version is copied: read as a whole, once."""
        return self._stack is not None and manifest.counts.after <= SMALL

    def frame(self, manifest: Manifest, read: Callable[[], DataFrame]) -> DataFrame:
        """The rows of a version; `read` opens it in the lake."""
        name = str(manifest.name)
        if name not in self._copies:
            table = read()
            if self._stack is None or not self.copies(manifest):
                return table
            folder = self._stack.enter_context(scratch(self._engine.settings, "reference"))
            self._copies[name] = self._engine.write_scratch(table, folder / "rows")
        return self._copies[name]
