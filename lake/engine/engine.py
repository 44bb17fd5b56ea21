"""Sail (embedded) and Spark, both used through Spark Connect, and everything that differs between them."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote

from lake.engine.errors import engine_errors
from lake.engine.startup import begin, start
from lake.parsing.staging_file import ARROW
from lakegate.home import Endpoint
from lakegate.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from lake.engine.sail import Sail

GROWTH: Final = 256 * 1024**2
"""Bytes that Sail may hold beyond those after its first work; 0.7.2 frees not all that a query takes."""
SCRATCH: Final = {"compression": "uncompressed", "dictionary_enabled": "false", "statistics_enabled": "none"}
"""Options of files that this process writes and reads once: compression costs more than it saves. Spark knows
only the first."""


def arrow_limit(settings: Settings) -> int:
    """Bytes of the largest Arrow file that the engine can read.

    Spark reads none. Sail 0.7.2 holds one in memory as a whole, beside the memory that it may use itself.
    """
    return settings.memory // 2 if settings.engine == "sail" else 0


class Engine:
    """A Spark Connect session that reads and writes a tenant's repository (by its gateway) and local files.

    All of Spark's sessions in a process have the keys of the first one: with Spark a process serves one
    tenant.
    """

    def __init__(self, settings: Settings, endpoint: Endpoint) -> None:
        self.settings, self.endpoint = settings, endpoint
        self._sail: Sail | None = None
        self._held = 0
        self._beginning = threading.Lock()

    @property
    def name(self) -> Literal["sail", "spark"]:
        """Which engine this is."""
        return self.settings.engine

    def describe(self) -> dict[str, str]:
        """Name and version, for the manifest."""
        package = "pysail" if self.name == "sail" else "pyspark"
        return {"name": self.name, "version": version(package)}

    @cached_property
    def spark(self) -> SparkSession:
        """The session, started at first use.

        Raises:
            LakegateError: The engine can't start here (Java missing, jars that don't resolve).
        """
        # It prints engines' errors, which quote values (P6).
        logging.getLogger("pyspark.sql.connect.logging").disabled = True
        self.begin()
        try:
            with engine_errors("starting"):
                return start(self.settings, self.endpoint, self._sail)
        except BaseException:
            self._end()
            raise

    def begin(self) -> None:
        """Start Sail while this process does something else; Spark starts at its first use."""
        with self._beginning:
            self._sail = self._sail or begin(self.settings, self.endpoint)

    def renew(self) -> bool:
        """End Sail where it died, or leaked memory since its first work; the next query starts another.

        Call it where no frame is used any more: all frames become invalid where it returns True.
        """
        if self._sail is None:
            return False
        held, connected = self._sail.held(), "spark" in self.__dict__
        if connected:
            self._held = self._held or held
        if held and (not connected or held < self._held + GROWTH):
            return False
        if connected:
            self.spark.stop()
            del self.spark
        self._end()
        return True

    def _end(self) -> None:
        with self._beginning:
            if self._sail is not None:
                self._sail.close()
            self._sail, self._held = None, 0

    @contextlib.contextmanager
    def small_on_the_left(self) -> Iterator[None]:
        """For queries whose joins all hash a small table on the left: Sail doesn't partition the right."""
        self._repartition_joins("false")
        try:
            yield
        finally:
            self._repartition_joins("true")

    def _repartition_joins(self, value: str) -> None:
        if self.name == "sail":
            with engine_errors("planning joins"):
                self.spark.sql(f"SET datafusion.optimizer.repartition_joins={value}").collect()

    def uri(self, ref: str, path: str) -> str:
        """The engine's address of `path` in the tree of a branch, tag or commit."""
        return f"s3a://{self.settings.repository}/{ref}/{path}"

    def _spelled(self, uri: str) -> str:
        """The URI as the engine reads it: Sail decodes escapes, Spark takes them literally."""
        return unquote(uri) if self.name == "spark" and uri.startswith("file:") else uri

    def read_parquet(self, uris: Sequence[str], *, schema: str | None = None) -> DataFrame:
        """Parquet files as one frame; with a schema (DDL), a column that a file lacks is NULL."""
        with engine_errors("opening files"):
            reader = self.spark.read if schema is None else self.spark.read.schema(schema)
            return reader.parquet(*map(self._spelled, uris))

    def read_staging(self, path: Path) -> DataFrame:
        """A staging file as a frame."""
        kind = "arrow" if path.suffix == ARROW else "parquet"
        with engine_errors("opening files"):
            return self.spark.read.format(kind).load(self._spelled(path.as_uri()))

    def write_delta(
        self, frame: DataFrame, *, uri: str, mode: Literal["append", "overwrite"], statistics: Sequence[str]
    ) -> None:
        """Write a frame as one commit of a Delta table.

        Args:
            frame: The rows.
            uri: The table's address.
            mode: Whether they join the table's rows or take their place.
            statistics: The columns whose least and greatest values the log may hold (P6).
        """
        with engine_errors("writing a table"):
            writer = frame.write.format("delta").mode(mode)
            for prefix in ("", "delta."):
                writer = writer.option(f"{prefix}dataSkippingStatsColumns", ",".join(statistics))
            if mode == "overwrite":
                writer = writer.option("overwriteSchema", "true")
            writer.save(self._spelled(uri))

    def write_scratch(self, frame: DataFrame, folder: Path) -> DataFrame:
        """Evaluate a frame once into Parquet in the scratch folder and read it back."""
        uri = self._spelled(folder.as_uri())
        with engine_errors("evaluating the rules"):
            frame.write.mode("overwrite").options(**SCRATCH).parquet(uri)
            reader = self.spark.read
            if not any(folder.glob("*.parquet")):  # Sail writes no file for no rows, so the schema is given
                reader = reader.schema(frame.schema)
            return reader.parquet(uri)

    def no_rows(self, schema: Any) -> DataFrame:
        """A frame of these columns without rows."""
        with engine_errors("opening files"):
            return self.spark.createDataFrame([], schema)

    def arrow(self, frame: DataFrame) -> pa.Table:
        """Fetch a frame of few or narrow rows as an Arrow table."""
        with engine_errors("fetching rows"):
            found: pa.Table = frame.toArrow()
            return found

    def rows(self, frame: DataFrame) -> list[Any]:
        """Collect a small frame to the driver."""
        with engine_errors("counting"):
            return list(frame.collect())
