"""Write a table of the lake: an engine writes the rows, one Delta commit names their files.

Where the blockstore lies on this disk, the engine writes to the scratch folder, the files are uploaded into
the store, and delta-rs commits them. Else the engine writes through the gateway, from wherever it runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, unquote

from lake.session import Session
from lake.tables.data_files import HASHERS, Added
from lake.tables.delta_log import storage_options, with_log, writes_locally
from lake.tables.log_cache import Log
from lakegate.errors import IntegrityError
from lakegate.home import Endpoint
from lakegate.manifest import DataFile

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from lake.tables.delta_rs import DeltaTable, Schema

STATISTICS: Final = "delta.dataSkippingStatsColumns"
CHECKPOINTS: Final = "delta.checkpointInterval"
CHECKPOINT_EVERY: Final = "50"
"""Commits after which a checkpoint replaces reading them one by one; delta-rs's own default is 100."""
Mode = Literal["append", "overwrite"]


def write_table(
    session: Session, frame: DataFrame, *, ref: str, path: str, mode: Mode, statistics: Sequence[str]
) -> Added | None:
    """Write a frame as one Delta commit of a table.

    Args:
        session: The open lake.
        frame: The rows.
        ref: A branch.
        path: Of the table.
        mode: Whether the rows join the table's or replace them.
        statistics: The columns whose least and greatest values the log may hold (P6).

    Returns:
        The files that joined the table; None where only the log shows which files it holds now.
    """
    engine = session.engine
    if not writes_locally(session):

        def prepare(log: Log) -> None:
            configure(log.opened(), ",".join(statistics))

        with_log(session, ref, path, prepare, doing=f"opening {path}", retry=False)
        engine.write_delta(frame, uri=engine.uri(ref, path), mode=mode, statistics=statistics)
        return None
    with session.scratch("table") as folder:
        engine.write_delta(frame, uri=(folder / "table").as_uri(), mode="overwrite", statistics=statistics)
        return _adopt_files(session, folder / "table", ref=ref, path=path, mode=mode)


def write_arrow(
    session: Session,
    rows: pa.RecordBatchReader,
    *,
    ref: str,
    path: str,
    mode: Mode,
    statistics: Sequence[str],
) -> Added | None:
    """As `write_table`, for rows in this process's memory."""
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
    """Make the table at `path` of a branch hold the files again that it held in the tree `tag`.

    The files are still in the branch's tree. The log's own history isn't used, as writers may shorten it. It
    takes two commits of the log: readers disagree on one that both removes and adds a file.

    Args:
        session: The open lake.
        ref: The branch.
        path: Of the table.
        files: The table's files in the tree `tag`.
        tag: A tag or commit, whose schema of the table is restored.
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
        schema, hooks = then or table.schema(), commit_hooks()
        table.create_write_transaction([], "overwrite", schema, post_commithook_properties=hooks)
        if added and (table := log.opened()) is not None:
            table.create_write_transaction([*added], "append", schema, post_commithook_properties=hooks)

    with_log(session, ref, path, commit, doing=doing, retry=False)


def _adopt_files(session: Session, staged: Path, *, ref: str, path: str, mode: Mode) -> Added | None:
    """Commit the files of a Delta table on this disk to the lake's table."""
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
        what = "the engine wrote a table without a schema"
        raise IntegrityError(what, where=path, fix="nothing was published; report this")
    configuration = dict(metadata[-1]["configuration"])
    with delta_errors(f"writing rows of {path}"):
        schema = Schema.from_json(metadata[-1]["schemaString"])

    def put(action: dict[str, Any]) -> None:
        name = unquote(action["path"])  # all writers of Delta put a random part into it
        session.repository.upload(ref, f"{path}/{name}", staged / name, etag=name)

    def action_of(item: dict[str, Any]) -> AddAction:
        partition, statistics = item.get("partitionValues") or {}, item.get("stats") or "{}"
        return AddAction(item["path"], item["size"], partition, item["modificationTime"], True, statistics)

    actions = [*map(action_of, added)]

    def commit(log: Log) -> None:
        if (table := log.opened()) is not None:
            if mode == "append" and _columns(table.schema()) != _columns(schema):
                what = "rows of other columns than the table's would be added to it"
                raise IntegrityError(what, where=path, fix="nothing was published; report this")
            configure(table, configuration.get(STATISTICS, ""))
            hooks = commit_hooks()
            table.create_write_transaction([*actions], mode, schema, post_commithook_properties=hooks)
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
    """Set which columns' statistics a table's log may hold, as others may be personal since (P6)."""
    from lake.tables.delta_rs import commit_hooks

    meant = {STATISTICS: statistics, CHECKPOINTS: CHECKPOINT_EVERY}
    if table is not None and not meant.items() <= table.metadata().configuration.items():
        table.alter.set_table_properties(meant, post_commithook_properties=commit_hooks())


def _columns(schema: Schema) -> dict[str, str]:
    """Names and types; of lists only names, as writers disagree whether elements may be NULL."""
    from lake.tables.delta_rs import PrimitiveType

    kinds = {field.name: field.type for field in schema.fields}
    return {name: kind.type if isinstance(kind, PrimitiveType) else "" for name, kind in kinds.items()}


def _actions(staged: Path) -> Iterator[dict[str, Any]]:
    """The actions in the log of a table just made: its schema, and its files with the engine's statistics."""
    for log in sorted((staged / "_delta_log").glob("*.json")):
        lines = log.read_bytes().split(b"\n")  # `splitlines` of text would also split at line ends in values
        yield from (json.loads(line) for line in lines if line)
