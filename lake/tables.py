"""Writing a table of the lake: an engine writes the rows, one Delta commit names their files.

Where the blockstore lies on this disk the engine writes beside it, and the files are laid into it and named through delta-rs;
else it writes through the gateway, from wherever it runs.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, unquote

from lake.delta import HASHERS, Listed, opened, storage_options
from lake.repository import Repository
from lake.session import Session
from lakegate.errors import Conflict, IntegrityError, LakegateError
from lakegate.home import Endpoint
from lakegate.manifest import DataFile

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable, Schema
    from deltalake.transaction import PostCommitHookProperties
    from pyspark.sql import DataFrame

STATISTICS: Final = "delta.dataSkippingStatsColumns"
Mode = Literal["append", "overwrite"]
ROW_GROUP: Final = 200_000
"""Rows that are encoded together: delta-rs's million of them takes half a gigabyte."""


def write_table(session: Session, frame: DataFrame, *, ref: str, path: str, mode: Mode, statistics: Sequence[str]) -> None:
    """Write a frame as one Delta commit of the table at `path` of a branch; only the columns in `statistics` get min and max (P6)."""
    engine, repository = session.engine, session.repository
    if not _beside(session):

        def restrict(endpoint: Endpoint) -> None:
            with _told(path):
                _restrict(opened(repository, endpoint, ref, path), ",".join(statistics))

        repository.calling(restrict, doing=f"opening {path}", retry=False)
        engine.write_delta(frame, uri=engine.uri(ref, path), mode=mode, statistics=statistics)
        return
    with session.scratch("table") as folder:
        engine.write_delta(frame, uri=(folder / "table").as_uri(), mode="overwrite", statistics=statistics)
        _take_over(repository, folder / "table", ref=ref, path=path, mode=mode)


def write_rows(session: Session, rows: pa.RecordBatchReader, *, ref: str, path: str, mode: Mode, statistics: Sequence[str]) -> None:
    """As `write_table`, for rows that this process has at hand."""
    from deltalake import WriterProperties, write_deltalake

    repository = session.repository
    told: dict[str, Any] = {
        "configuration": {STATISTICS: ",".join(statistics)},
        "writer_properties": WriterProperties(compression="SNAPPY", max_row_group_size=ROW_GROUP),
    }
    if not _beside(session):
        uri = f"s3://{repository.name}/{ref}/{path}"
        told |= {"mode": mode} | ({"schema_mode": mode} if mode == "overwrite" else {})

        def write(endpoint: Endpoint) -> None:
            with _told(path):
                write_deltalake(uri, rows, storage_options=storage_options(endpoint), **told)

        repository.calling(write, doing=f"writing {path}", retry=False)
        return
    with session.scratch("table") as folder:
        with _told(str(folder), local=True):
            write_deltalake(folder / "table", rows, **told)
        _take_over(repository, folder / "table", ref=ref, path=path, mode=mode)


def _beside(session: Session) -> bool:
    """Whether tables can be written beside the blockstore.

    Not where the folder's address needs escapes: Sail 0.7.2 writes a Delta table to another folder then, and delta-rs 1.6 finds none.
    """
    return session.repository.blocks is not None and "%" not in session.settings.scratch_dir.absolute().as_uri()


@contextlib.contextmanager
def _told(path: str, *, local: bool = False) -> Iterator[None]:
    """Turn delta-rs's errors into ours, without their text: it may quote values (P6)."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        yield
    except CommitFailedError as error:
        raise Conflict(f"another writer was first (writing {path})", fix="run it again") from error
    except OSError as error:
        if not local:
            raise
        what = f"rows can't be written to the scratch folder ({error.strerror or type(error).__name__})"
        raise LakegateError(what, where=path, fix="free some disk space, or name another folder with LAKEGATE_SCRATCH") from None
    except DeltaError as error:
        if local:
            what = f"rows can't be written to the scratch folder ({type(error).__name__})"
            raise LakegateError(what, where=path, fix="free some disk space, or name another folder with LAKEGATE_SCRATCH") from None
        what = f"the table can't be written ({type(error).__name__})"
        raise IntegrityError(what, where=path, fix="nothing was published; run it again, and report it where it comes again") from None


def put_back(repository: Repository, *, ref: str, path: str, files: Sequence[DataFile], tag: str) -> None:
    """Make the table at `path` of a branch hold these files again, those that it held in the tree `tag`.

    They lie in the tree still: nothing is removed from it. The log's own history isn't asked: writers may shorten it. Two commits of
    the log: one that named a file as removed and added would be read either way.
    """
    from deltalake.transaction import AddAction

    def commit(endpoint: Endpoint) -> None:
        with _told(path):
            if (table := opened(repository, endpoint, ref, path)) is None:
                return
            then = opened(repository, endpoint, tag, path)
            schema = (then or table).schema()
            table.create_write_transaction([], "overwrite", schema, post_commithook_properties=_hooks())
            names = [(quote(item.path.removeprefix(f"{path}/")), item) for item in files]
            added = [AddAction(name, item.size, {}, 0, True, json.dumps({"numRecords": item.rows})) for name, item in names]
            if added and (table := opened(repository, endpoint, ref, path)) is not None:
                table.create_write_transaction([*added], "append", schema, post_commithook_properties=_hooks())

    repository.calling(commit, doing=f"writing the Delta log of {path}", retry=False)


def uri_of(session: Session, ref: str, file: Listed | DataFile) -> str:
    """Where the engine finds a file of the tree `ref`: on this disk where it lies there, else through the gateway."""
    block = session.repository.local(file.physical)
    return session.engine.uri(ref, file.path) if block is None else block.as_uri()


def _take_over(repository: Repository, staged: Path, *, ref: str, path: str, mode: Mode) -> None:
    """Make the files of a Delta table on this disk those of a commit of the lake's table."""
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction, create_table_with_add_actions

    added = list(_added(staged))

    def put(action: dict[str, Any]) -> None:
        name = unquote(action["path"])  # which holds a random part, as all writers of Delta give one
        repository.upload(ref, f"{path}/{name}", staged / name, etag=name)

    with ThreadPoolExecutor(HASHERS) as pool:
        list(pool.map(put, added))
    with _told(str(staged), local=True):
        made = DeltaTable(staged)
        schema, configuration = made.schema(), made.metadata().configuration
    actions = [
        AddAction(item["path"], item["size"], item.get("partitionValues") or {}, item["modificationTime"], True, item.get("stats") or "{}")
        for item in added
    ]

    def commit(endpoint: Endpoint) -> None:
        with _told(path):
            table = opened(repository, endpoint, ref, path)
            if table is not None:
                if mode == "append" and _columns(table.schema()) != _columns(schema):
                    what = "rows of other columns than the table's would be added to it"
                    raise IntegrityError(what, where=path, fix="nothing was published; report this")
                _restrict(table, configuration.get(STATISTICS, ""))
                table.create_write_transaction([*actions], mode, schema, post_commithook_properties=_hooks())
                return
            uri, options = f"s3://{repository.name}/{ref}/{path}", storage_options(endpoint)
            create_table_with_add_actions(uri, schema, actions, configuration=configuration, storage_options=options)

    repository.calling(commit, doing=f"writing the Delta log of {path}", retry=False)


def _restrict(table: DeltaTable | None, statistics: str) -> None:
    """Have a table, where there is one, keep statistics of these columns alone: another may be personal since (P6)."""
    if table is not None and table.metadata().configuration.get(STATISTICS) != statistics:
        table.alter.set_table_properties({STATISTICS: statistics}, post_commithook_properties=_hooks())


def _hooks() -> PostCommitHookProperties:
    """Of a commit: earlier versions of the log are other tags' as well, so nothing is cleaned up."""
    from deltalake.transaction import PostCommitHookProperties

    return PostCommitHookProperties(cleanup_expired_logs=False)


def _columns(schema: Schema) -> dict[str, str]:
    """Names and types; that elements may be NULL is told by one writer and not by the other."""
    return {
        field.name: str(getattr(field.type, "type", "")) if field.type.__class__.__name__ == "PrimitiveType" else ""
        for field in schema.fields
    }


def _added(staged: Path) -> Iterator[dict[str, Any]]:
    """What the log of a table just made adds, with the statistics that the engine took."""
    for log in sorted((staged / "_delta_log").glob("*.json")):
        for line in log.read_bytes().split(b"\n"):  # and at nothing else that Unicode calls a line's end: values hold it
            if line and "add" in (action := json.loads(line)):
                yield action["add"]
