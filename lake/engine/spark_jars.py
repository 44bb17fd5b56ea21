"""Spark's jars beyond its own: Delta's and those of S3, fetched from Maven by the first start on a machine."""

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
"""The SDK that hadoop-aws 3.4.2 was built with; its 600 MB bundle is replaced by the four modules that s3a uses."""


@dataclass(frozen=True)
class Jars:
    """How Spark gets its jars: as the files that an earlier start was given, or else by their names, which takes Ivy ten seconds."""

    listed: Path
    options: dict[str, str]

    def note(self, given: str) -> None:
        """Remember the files that Ivy gave Spark, among those that its option `spark.jars` names, for the next start."""
        files = [Path(unquote(urlsplit(item).path)) for item in given.split(",") if item]
        ours = [str(file) for file in files if file.is_relative_to(self.listed.parent / "jars")]
        if "spark.jars" not in self.options and ours:
            with contextlib.suppress(OSError):  # Ivy is asked again
                write_atomically(self.listed, "\n".join(ours))


@contextlib.contextmanager
def jars_at_hand(kept: Path) -> Iterator[Jars]:
    """The first Spark on a machine fetches its jars alone: two at once spoil each other's (Ivy doesn't lock what it keeps).

    Raises:
        LakegateError: There is no place for them.
    """
    listed = kept / f"lakegate-{hashlib.sha256(' '.join(_names()).encode()).hexdigest()[:12]}"
    if (files := _files(listed)) and not _others():
        yield Jars(listed, {"spark.jars": ",".join(files)})
        return
    lock = FileLock(kept / "lakegate.lock")
    try:
        private_folder(kept)
        lock.acquire()
    except OSError as error:
        what = f"Spark's jars can't be kept ({error.strerror or type(error).__name__})"
        raise LakegateError(
            what, where=str(kept), fix="make it writable; LAKEGATE_ENGINE=sail needs none"
        ) from error
    try:
        named = {"spark.jars.packages": ",".join(_names()), "spark.jars.ivy": str(kept)}
        named["spark.jars.excludes"] = "software.amazon.awssdk:bundle"
        yield Jars(
            listed, {"spark.jars": ",".join(files)} if (files := _files(listed)) and not _others() else named
        )
    finally:
        lock.release()


def _others() -> bool:
    """Whether somebody set jars of their own for this machine's Spark, to which ours are added by name: as files they would replace them."""
    folders = [
        os.environ.get("SPARK_CONF_DIR"),
        f"{os.environ['SPARK_HOME']}/conf" if "SPARK_HOME" in os.environ else None,
    ]
    with contextlib.suppress(OSError):
        found = [
            path.read_text()
            for folder in folders
            if folder and (path := Path(folder, "spark-defaults.conf")).is_file()
        ]
        text = "\n".join(found[:1])
        return any(line.split("=")[0].split()[:1] == ["spark.jars"] for line in text.splitlines())
    return False


def jars_kept() -> Path:
    """Where Spark 4.1 keeps its jars if nobody says."""
    return Path.home() / ".ivy2.5.2"


def _files(listed: Path) -> list[str]:
    """The jars that are on record there, where all of them still are."""
    try:
        files = listed.read_text().splitlines()
    except OSError:
        return []
    return files if all(Path(file).is_file() for file in files) else []


def _names() -> list[str]:
    delta = version("delta-spark")
    modules = ("s3", "s3-transfer-manager", "apache-client", "sts")
    return [
        f"io.delta:delta-spark_4.1_2.13:{delta}",
        f"org.apache.hadoop:hadoop-aws:{HADOOP_AWS}",
        *(f"software.amazon.awssdk:{module}:{AWS_SDK}" for module in modules),
    ]
