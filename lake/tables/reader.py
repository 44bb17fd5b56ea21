"""Rows of versions as frames, read from the files that a manifest names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from catalog.contract import ColumnType, Contract
from catalog.expressions.spark_sql import SPARK_TYPES, quoted
from expectations.plan.published_columns import published_columns
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from lake.lakefs.files import missing
from lake.session import Session
from lake.tables.data_files import Listed
from lake.tables.proved_files import demand_sound_columns
from lakegate.manifest import DataFile, Manifest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def uri_of(session: Session, ref: str, file: Listed | DataFile) -> str:
    """The engine's address of a file of the tree `ref`: on this disk, if it lies there, or at the gateway."""
    block = session.repository.local(file.physical)
    if block is not None and not block.is_file():  # the engine's own error would not name the file
        raise missing(block, f"{ref}:{file.path}")
    return session.engine.uri(ref, file.path) if block is None else block.as_uri()


def read_files(session: Session, files: Sequence[DataFile], ref: str) -> DataFrame | None:
    """The rows of a version's files in the tree `ref`; None where there are none."""
    uris = [uri_of(session, ref, item) for item in files if item.rows]
    return session.engine.read_parquet(uris) if uris else None


def read_version(session: Session, manifest: Manifest, ref: str) -> DataFrame:
    """The rows of a version in the tree `ref`, by its manifest's files, columns and types.

    The Delta log is not read: nothing proves it, and one bit of it decides which rows are read.
    """
    columns = [(item["name"], SPARK_TYPES[cast("ColumnType", item["type"])]) for item in manifest.schema]
    columns += [(DROP, "string"), (ROW, "bigint")]
    schema = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
    uris = [uri_of(session, ref, item) for item in manifest.files if item.rows]
    return session.engine.read_parquet(uris, schema=schema) if uris else session.engine.no_rows(schema)


def published_rows(
    session: Session, contract: Contract, suite: Suite, manifest: Manifest, ref: str
) -> DataFrame | None:
    """The rows of a version in the tree `ref`, with which a suite compares others; None where there are none.

    Args:
        session: The open lake.
        contract: The table's contract.
        suite: The columns that it reads are proved first.
        manifest: The version's.
        ref: A branch, tag or commit.

    Raises:
        IntegrityError: A file is missing, or one of these columns is not what was published.
    """
    demand_sound_columns(session, ref, manifest, published_columns(suite, contract))
    return read_version(session, manifest, ref) if manifest.counts.after else None
