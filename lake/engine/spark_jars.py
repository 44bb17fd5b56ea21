"""Spark's additional jars, for Delta and S3: the first start on a machine fetches them from Maven."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from filelock import FileLock

from lakegate.atomic import write_atomically
from lakegate.errors import LakegateError
from lakegate.modes import private_folder

HADOOP_AWS: Final = "3.4.2"
AWS_SDK: Final = "2.29.52"
"""The SDK that hadoop-aws 3.4.2 was built with; four modules that s3a uses replace its bundle of 600 MB."""


@dataclass(frozen=True)
class Jars:
    """How Spark finds its jars: as files of an earlier start, or by name, which takes Ivy ten seconds."""

    listed: Path
    options: dict[str, str]

    def note(self, given: str) -> None:
        """Remember for the next start the files that Ivy fetched, among those of the option `spark.jars`."""
        files = [Path(unquote(urlsplit(item).path)) for item in given.split(",") if item]
        ours = [str(file) for file in files if file.is_relative_to(self.listed.parent / "jars")]
        if "spark.jars" not in self.options and ours:
            with contextlib.suppress(OSError):  # the next start uses Ivy again
                write_atomically(self.listed, "\n".join(ours))


@contextlib.contextmanager
def jars_at_hand(folder: Path) -> Iterator[Jars]:
    """Let the first Spark on a machine fetch its jars alone: two at once spoil each other's.

    Raises:
        LakegateError: The folder can't be written.
    """
    listed = folder / f"lakegate-{hashlib.sha256(' '.join(_names()).encode()).hexdigest()[:12]}"
    if options := _as_files(listed):
        yield Jars(listed, options)
        return
    lock = FileLock(folder / "lakegate.lock")
    try:
        private_folder(folder)
        lock.acquire()
    except OSError as error:
        what = f"Spark's jars can't be kept ({error.strerror or type(error).__name__})"
        fix = "make it writable; LAKEGATE_ENGINE=sail needs none"
        raise LakegateError(what, where=str(folder), fix=fix) from error
    try:
        named = {"spark.jars.packages": ",".join(_names()), "spark.jars.ivy": str(folder)}
        named["spark.jars.excludes"] = "software.amazon.awssdk:bundle"
        yield Jars(listed, _as_files(listed) or named)
    finally:
        lock.release()


def _as_files(listed: Path) -> dict[str, str]:
    """The option for the jars that an earlier start listed; empty where it can't be used."""
    try:
        files = listed.read_text().splitlines()
    except OSError:
        return {}
    if not files or not all(Path(file).is_file() for file in files) or _configured():
        return {}
    return {"spark.jars": ",".join(files)}


def _configured() -> bool:
    """Whether this machine's Spark configuration sets jars: ours as files would replace those."""
    home = os.environ.get("SPARK_HOME")
    for folder in (os.environ.get("SPARK_CONF_DIR"), home and f"{home}/conf"):
        if folder and (path := Path(folder, "spark-defaults.conf")).is_file():
            with contextlib.suppress(OSError):
                lines = path.read_text().splitlines()
                return any(line.split("=")[0].split()[:1] == ["spark.jars"] for line in lines)
    return False


def ivy_folder() -> Path:
    """Where Spark 4.1 stores its jars by default."""
    return Path.home() / ".ivy2.5.2"


def _names() -> list[str]:
    delta = version("delta-spark")
    modules = ("s3", "s3-transfer-manager", "apache-client", "sts")
    return [
        f"io.delta:delta-spark_4.1_2.13:{delta}",
        f"org.apache.hadoop:hadoop-aws:{HADOOP_AWS}",
        *(f"software.amazon.awssdk:{module}:{AWS_SDK}" for module in modules),
    ]
