"""Merge the small files of a table, as part of a publish, so that the next publish costs what the first did.

Each small drop adds a file, which every comparison of keys reads. delta-rs merges the files on this disk; the
rows that it wrote are compared with those that it read before anybody sees them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from catalog.contract import Contract
from expectations.typed_frame import DROP, ROW
from lake.session import Session
from lake.tables.content_hash import content_by, hash_of
from lake.tables.data_files import list_table, table_files
from lake.tables.delta_log import found_in_scratch, with_log
from lake.tables.log_cache import Log
from lake.tables.proved_files import demand_sound
from lake.tables.reader import uri_of
from lake.tables.writer import configure
from lakegate.errors import IntegrityError
from lakegate.manifest import DataFile
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine

Fingerprint = Callable[["DataFrame"], list[Any]]
MANY: Final = 64
"""Small files that a table may have."""
SMALL: Final = 2 * 1024**2
TARGET: Final = 8 * 1024**2
"""Bytes: smaller files are merged with their neighbours up to this size; four small ones fit at least."""


def compacted(
    session: Session,
    ref: str,
    path: str,
    files: Sequence[DataFile],
    *,
    statistics: Sequence[str],
    fingerprint: Fingerprint,
    version: VersionName,
) -> list[DataFile]:
    """The files of the table at `path` of a branch, merged where many of them are small; else as they are.

    They are all its files: a publish adds its own later, so that no file is written that no version names.

    Args:
        session: The open lake.
        ref: The branch.
        path: Of the table.
        files: The table's files.
        statistics: The columns whose least and greatest values the log may hold (P6).
        fingerprint: Has to be the same of the merged rows before and after.
        version: The version as whose files they are proved first.

    Raises:
        IntegrityError: The rows written are not those read, or those are not the published ones.
    """
    if sum(item.size < SMALL for item in files) < MANY or not found_in_scratch(session):
        return list(files)

    def merge(log: Log) -> None:
        from lake.tables.delta_rs import commit_hooks, writer_properties

        configure(log.opened(), ",".join(statistics))
        if (table := log.opened()) is not None:
            table.optimize.compact(
                target_size=TARGET,
                max_concurrent_tasks=1,
                writer_properties=writer_properties(),
                post_commithook_properties=commit_hooks(),
            )

    read = [item for item in files if item.size < TARGET]
    demand_sound(session, ref, read, version=version)
    with_log(session, ref, path, merge, doing=f"compacting {path}", retry=False, data=read)
    listed = list_table(session, ref, path, known=files)
    now = table_files(session, ref, path, known=files, listed=listed)
    here, there = {item.path for item in now}, {item.path for item in files}
    gone = [item for item in files if item.path not in here]
    come = [item for item in now if item.path not in there]

    def fingerprint_of(files: Sequence[DataFile]) -> list[Any]:
        return fingerprint(session.engine.read_parquet([*map(partial(uri_of, session, ref), files)]))

    with ThreadPoolExecutor(2) as pool:
        before, after = pool.map(fingerprint_of, (gone, come)) if gone else ([], [])
    if before != after:
        what = f"files were merged, and their rows are not those of the {len(come)} that came of them"
        fix = "nothing was published; report this"
        raise IntegrityError(f"{len(gone)} {what}", where=f"{ref}:{path}", fix=fix)
    return now


def table_fingerprint(engine: Engine, contract: Contract, frame: DataFrame) -> list[Any]:
    """What of a table's rows has to be the same in whatever files they lie: their content, by drop."""
    return content_by(engine, frame, contract, key=DROP, number=ROW)


def quarantine_fingerprint(engine: Engine, frame: DataFrame) -> list[Any]:
    """The same of quarantined rows: the hash of all columns."""
    values = []
    for name, kind in frame.dtypes:
        text = f"concat_ws('\\n', {name})" if kind.startswith("array") else f"cast({name} as string)"
        values += [f"case when {name} is null then 1L else 0L end", f"coalesce({text}, '')"]
    return [sorted(frame.columns), hash_of(engine, frame, values)]
