"""The engines, and everything that differs between them: Sail (embedded) and Spark, both spoken to as Spark Connect."""

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
from lake.engine.startup import begin, preload, start
from lake.parsing.staging_file import ARROW
from lakegate.home import Endpoint
from lakegate.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from lake.engine.sail import Sail

GROWTH: Final = 256 * 1024**2
"""Bytes that Sail may come to hold beyond what it held after its first work; 0.7.2 keeps something of every query."""
SCRATCH: Final = {"compression": "uncompressed", "dictionary_enabled": "false", "statistics_enabled": "none"}
"""Written once and read once by this process: what makes a file smaller costs more than it saves. Spark knows the first alone."""


def arrow_limit(settings: Settings) -> int:
    """Bytes of the largest Arrow file that the engine can be given.

    Spark reads none, and Sail 0.7.2 holds one in memory as a whole, beside what it may hold itself.
    """
    return settings.memory // 2 if settings.engine == "sail" else 0


class Engine:
    """One Spark Connect session that reads and writes a tenant's repository through the lakeFS gateway, and files on this disk.

    Of Spark's sessions in this process all have the keys of the first one: with that engine a process serves one tenant.
    """

    def __init__(self, settings: Settings, endpoint: Endpoint) -> None:
        self.settings, self.endpoint, self.repository = settings, endpoint, settings.repository
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
        logging.getLogger(
            "pyspark.sql.connect.logging"
        ).disabled = True  # it prints engines' errors, which quote values (P6)
        self.begin()
        try:
            with engine_errors("starting"):
                return start(self.settings, self.endpoint, self._sail)
        except BaseException:
            self._end()
            raise

    def begin(self) -> None:
        """Have Sail start while this process does something else; Spark starts when it is asked."""
        with self._beginning:
            self._sail = self._sail or begin(self.settings, self.endpoint)

    def preload(self) -> None:
        """Import the engine's packages; nothing is started yet."""
        preload()

    def renew(self) -> bool:
        """End Sail where it holds much more than once it had worked, or lives no more; the next query starts another.

        Call it where no frame is used any more: all that there are go with it, and it says whether they went.
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
        """For queries all of whose joins hash a small table, which stands left: Sail then doesn't part the other side, row by row, by key."""
        self._repartition_joins(on=False)
        try:
            yield
        finally:
            self._repartition_joins(on=True)

    def _repartition_joins(self, *, on: bool) -> None:
        if self.name == "sail":
            with engine_errors("planning joins"):  # a lost session is told as one, here too
                self.spark.sql(f"SET datafusion.optimizer.repartition_joins={str(on).lower()}").collect()

    def uri(self, ref: str, path: str) -> str:
        """Where the engine finds `path` of a branch, tag or commit."""
        return f"s3a://{self.repository}/{ref}/{path}"

    def _spelled(self, uri: str) -> str:
        """Sail decodes a URI; Spark takes its escapes for characters of the name."""
        return unquote(uri) if self.name == "spark" and uri.startswith("file:") else uri

    def read_parquet(self, uris: Sequence[str], *, schema: str | None = None) -> DataFrame:
        """The Parquet files at these addresses, as one frame; with a schema (DDL) a column that a file lacks is NULL."""
        with engine_errors("opening files"):
            reader = self.spark.read if schema is None else self.spark.read.schema(schema)
            return reader.parquet(*map(self._spelled, uris))

    def read_staging(self, path: Path) -> DataFrame:
        """A staging file as a frame."""
        with engine_errors("opening files"):
            return self.spark.read.format("arrow" if path.suffix == ARROW else "parquet").load(
                self._spelled(path.as_uri())
            )

    def write_delta(
        self, frame: DataFrame, *, uri: str, mode: Literal["append", "overwrite"], statistics: Sequence[str]
    ) -> None:
        """Write a frame as a Delta commit of the table there; only the columns named in `statistics` get min and max in the log (P6)."""
        with engine_errors("writing a table"):
            writer = frame.write.format("delta").mode(mode)
            for prefix in ("", "delta."):
                writer = writer.option(f"{prefix}dataSkippingStatsColumns", ",".join(statistics))
            if mode == "overwrite":
                writer = writer.option("overwriteSchema", "true")
            writer.save(self._spelled(uri))

    def write_scratch(self, frame: DataFrame, folder: Path) -> DataFrame:
        """Evaluate a frame once into Parquet in the scratch folder and read it back."""
        with engine_errors("evaluating the rules"):
            frame.write.mode("overwrite").options(**SCRATCH).parquet(self._spelled(folder.as_uri()))
            reader = self.spark.read
            if (
                next(folder.glob("*.parquet"), None) is None
            ):  # Sail writes no file of no rows, so what the columns are has to be said
                reader = reader.schema(frame.schema)
            return reader.parquet(self._spelled(folder.as_uri()))

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
