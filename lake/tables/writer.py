"""Writing a table of the lake: an engine writes the rows, one Delta commit names their files.

Where the blockstore lies on this disk the engine writes beside it, and the files are laid into it and named through delta-rs;
else it writes through the gateway, from wherever it runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast
from urllib.parse import quote, unquote

from catalog.contract import ColumnType
from catalog.expressions.spark_sql import SPARK_TYPES, quoted
from expectations.typed_frame import DROP, ROW
from lake.lakefs.files import missing
from lake.session import Session
from lake.tables.data_files import HASHERS, Added, Listed
from lake.tables.delta_log import storage_options, with_log, writes_locally
from lake.tables.log_cache import Log
from lakegate.errors import IntegrityError
from lakegate.home import Endpoint
from lakegate.manifest import DataFile, Manifest

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from lake.tables.delta_rs import DeltaTable, Schema

STATISTICS: Final = "delta.dataSkippingStatsColumns"
CHECKPOINTS: Final = "delta.checkpointInterval"
CHECKPOINT_EVERY: Final = "50"
"""Commits: whoever opens a table reads no more of them one by one; delta-rs's own default is 100."""
Mode = Literal["append", "overwrite"]


def write_table(
    session: Session, frame: DataFrame, *, ref: str, path: str, mode: Mode, statistics: Sequence[str]
) -> Added | None:
    """Write a frame as one Delta commit of the table at `path` of a branch; only the columns in `statistics` get min and max (P6).

    Returns the files that joined the table; None where the log has to be asked which it holds now.
    """
    engine = session.engine
    if not writes_locally(session):
        with_log(
            session,
            ref,
            path,
            lambda log: configure(log.opened(), ",".join(statistics)),
            doing=f"opening {path}",
            retry=False,
        )
        engine.write_delta(frame, uri=engine.uri(ref, path), mode=mode, statistics=statistics)
        return None
    with session.scratch("table") as folder:
        engine.write_delta(frame, uri=(folder / "table").as_uri(), mode="overwrite", statistics=statistics)
        return _adopt_files(session, folder / "table", ref=ref, path=path, mode=mode)


def write_rows(
    session: Session,
    rows: pa.RecordBatchReader,
    *,
    ref: str,
    path: str,
    mode: Mode,
    statistics: Sequence[str],
) -> Added | None:
    """As `write_table`, for rows that this process has at hand."""
    from lake.tables.delta_rs import delta_errors, write_deltalake, writer_properties

    repository = session.repository
    options: dict[str, Any] = {
        "configuration": {STATISTICS: ",".join(statistics)},
        "writer_properties": writer_properties(),
    }
    if not writes_locally(session):
        uri = f"s3://{repository.name}/{ref}/{path}"
        options |= {"mode": mode} | ({"schema_mode": mode} if mode == "overwrite" else {})

        def write(endpoint: Endpoint) -> None:
            with delta_errors(f"writing {path}"):
                write_deltalake(uri, rows, storage_options=storage_options(endpoint), **options)

        repository.calling(write, doing=f"writing {path}", retry=False)
        return None
    with session.scratch("table") as folder:
        with delta_errors(f"writing rows of {path}", local=True):
            write_deltalake(folder / "table", rows, **options)
        return _adopt_files(session, folder / "table", ref=ref, path=path, mode=mode)


def restore_files(session: Session, *, ref: str, path: str, files: Sequence[DataFile], tag: str) -> None:
    """Make the table at `path` of a branch hold these files again, those that it held in the tree `tag`.

    They lie in the tree still: nothing is removed from it. The log's own history isn't asked: writers may shorten it. Two commits of
    the log: one that named a file as removed and added would be read either way.
    """
    from lake.tables.delta_rs import AddAction, commit_hooks

    names = [(quote(item.path.removeprefix(f"{path}/")), item) for item in files]
    added = [
        AddAction(name, item.size, {}, 0, True, json.dumps({"numRecords": item.rows})) for name, item in names
    ]
    doing = f"writing the Delta log of {path}"
    then = with_log(session, tag, path, lambda log: (table := log.opened()) and table.schema(), doing=doing)

    def commit(log: Log) -> None:
        if (table := log.opened()) is None:
            return
        schema = then or table.schema()
        table.create_write_transaction([], "overwrite", schema, post_commithook_properties=commit_hooks())
        if added and (table := log.opened()) is not None:
            table.create_write_transaction(
                [*added], "append", schema, post_commithook_properties=commit_hooks()
            )

    with_log(session, ref, path, commit, doing=doing, retry=False)


def uri_of(session: Session, ref: str, file: Listed | DataFile) -> str:
    """Where the engine finds a file of the tree `ref`: on this disk where it lies there, else through the gateway."""
    block = session.repository.local(file.physical)
    if block is not None and not block.is_file():  # an engine would only say that it failed
        raise missing(block, f"{ref}:{file.path}")
    return session.engine.uri(ref, file.path) if block is None else block.as_uri()


def read_version(session: Session, manifest: Manifest, ref: str) -> DataFrame:
    """The rows of a version in the tree `ref`: of the files that its manifest names, in the manifest's columns and types.

    Its Delta log is not asked: nothing proves that, and a bit of it decides which rows are read.
    """
    columns = [(item["name"], SPARK_TYPES[cast("ColumnType", item["type"])]) for item in manifest.schema]
    schema = ", ".join(
        f"{quoted(name)} {kind}" for name, kind in (*columns, (DROP, "string"), (ROW, "bigint"))
    )
    uris = [uri_of(session, ref, item) for item in manifest.files if item.rows]
    return session.engine.read_parquet(uris, schema=schema) if uris else session.engine.no_rows(schema)


def _adopt_files(session: Session, staged: Path, *, ref: str, path: str, mode: Mode) -> Added | None:
    """Make the files of a Delta table on this disk those of a commit of the lake's table."""
    from lake.tables.delta_rs import (
        AddAction,
        Schema,
        commit_hooks,
        create_table_with_add_actions,
        delta_errors,
    )

    made = list(_actions(staged))
    added = [action["add"] for action in made if "add" in action]
    metadata = [action["metaData"] for action in made if "metaData" in action]
    if not metadata:
        raise IntegrityError(
            "the engine wrote a table without a schema", where=path, fix="nothing was published; report this"
        )
    with delta_errors(f"writing rows of {path}"):
        schema, configuration = (
            Schema.from_json(metadata[-1]["schemaString"]),
            dict(metadata[-1]["configuration"]),
        )

    def put(action: dict[str, Any]) -> None:
        name = unquote(action["path"])  # which holds a random part, as all writers of Delta give one
        session.repository.upload(ref, f"{path}/{name}", staged / name, etag=name)

    actions = [
        AddAction(
            item["path"],
            item["size"],
            item.get("partitionValues") or {},
            item["modificationTime"],
            True,
            item.get("stats") or "{}",
        )
        for item in added
    ]

    def commit(log: Log) -> None:
        if (table := log.opened()) is not None:
            if mode == "append" and _columns(table.schema()) != _columns(schema):
                what = "rows of other columns than the table's would be added to it"
                raise IntegrityError(what, where=path, fix="nothing was published; report this")
            configure(table, configuration.get(STATISTICS, ""))
            table.create_write_transaction(
                [*actions], mode, schema, post_commithook_properties=commit_hooks()
            )
            return
        create_table_with_add_actions(
            log.uri,
            schema,
            actions,
            configuration=configuration | {CHECKPOINTS: CHECKPOINT_EVERY},
            storage_options=log.options,
        )

    with ThreadPoolExecutor(HASHERS) as pool:
        sent = pool.map(put, added)
        with_log(session, ref, path, commit, doing=f"writing the Delta log of {path}", retry=False)
        list(sent)
    if mode == "overwrite":
        return None
    return [
        (f"{path}/{unquote(item['path'])}", json.loads(item.get("stats") or "{}").get("numRecords"))
        for item in added
    ]


def configure(table: DeltaTable | None, statistics: str) -> None:
    """Have a table, where there is one, keep statistics of these columns alone, another may be personal since (P6), and checkpoints."""
    from lake.tables.delta_rs import commit_hooks

    meant = {STATISTICS: statistics, CHECKPOINTS: CHECKPOINT_EVERY}
    if table is not None and not meant.items() <= table.metadata().configuration.items():
        table.alter.set_table_properties(meant, post_commithook_properties=commit_hooks())


def _columns(schema: Schema) -> dict[str, str]:
    """Names and types; that elements may be NULL is told by one writer and not by the other."""
    return {
        field.name: str(getattr(field.type, "type", ""))
        if field.type.__class__.__name__ == "PrimitiveType"
        else ""
        for field in schema.fields
    }


def _actions(staged: Path) -> Iterator[dict[str, Any]]:
    """What the log of a table just made tells: its schema, and the files that it adds with the statistics that the engine took."""
    for log in sorted((staged / "_delta_log").glob("*.json")):
        for line in log.read_bytes().split(
            b"\n"
        ):  # and at nothing else that Unicode calls a line's end: values hold it
            if line:
                yield json.loads(line)
