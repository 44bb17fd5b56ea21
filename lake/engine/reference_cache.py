"""Pinned versions of references that a run has at hand: read from the lake once, and from then on from scratch."""

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
"""Rows up to which a reference is copied: opening a table in the lake takes longer than reading it, and each drop does it again."""


class ReferenceCache:
    """Processed tables by version. They never change, so a copy is as good as the table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._copies: dict[str, DataFrame] = {}
        self._stack: contextlib.ExitStack | None = None

    @contextlib.contextmanager
    def caching(self) -> Iterator[None]:
        """What is copied within stays until the outermost one ends."""
        if self._stack is not None:
            yield
            return
        with contextlib.ExitStack() as stack:
            self._stack = stack
            try:
                yield
            finally:
                self._copies.clear()
                self._stack = None

    def forget(self) -> None:
        """Frames of an engine that is no more; what comes next is read from the lake again."""
        self._copies.clear()

    def copies(self, manifest: Manifest) -> bool:
        """Whether a version is read as a whole, once, and its copy from then on."""
        return self._stack is not None and manifest.counts.after <= SMALL

    def frame(self, manifest: Manifest, read: Callable[[], DataFrame]) -> DataFrame:
        """The rows of a version; `read` opens it in the lake."""
        name = manifest.name
        if str(name) in self._copies:
            return self._copies[str(name)]
        table = read()
        if self._stack is None or not self.copies(manifest):
            return table
        folder = self._stack.enter_context(scratch(self._engine.settings, "reference"))
        self._copies[str(name)] = self._engine.write_scratch(table, folder / "rows")
        return self._copies[str(name)]
