"""Small files of a table made few: maintenance that rides in a publish, so that the next one costs what the first did.

Each small drop adds a file, which everyone reads who compares keys with the table. delta-rs merges them on this disk; what it wrote is
held against what it read before anybody sees it.
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
from lake.tables.writer import configure, uri_of
from lakegate.errors import IntegrityError
from lakegate.manifest import DataFile
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine

Told = Callable[["DataFrame"], list[Any]]
MANY: Final = 64
"""Small files that a table may have."""
SMALL: Final = 2 * 1024**2
TARGET: Final = 8 * 1024**2
"""Bytes: files below it are merged with their neighbours up to it; as four small ones fit, many of them always become fewer."""


def compacted(
    session: Session,
    ref: str,
    path: str,
    files: Sequence[DataFile],
    *,
    statistics: Sequence[str],
    told: Told,
    version: VersionName,
) -> list[DataFile]:
    """The files of the table at `path` of a branch, merged where many of them are small; else as they are.

    They are all its files: what a publish adds joins them later, so that no file is written that no version names. `told` has to be
    the same of their rows before and after, and they are proved first as those of `version`; only the columns in `statistics` get min and max (P6).

    Raises:
        IntegrityError: What was written is not what was read, or that is not what was published.
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
    gone, come = (
        [item for item in files if item.path not in here],
        [item for item in now if item.path not in there],
    )

    def told_of(files: Sequence[DataFile]) -> list[Any]:
        return told(session.engine.read_parquet([*map(partial(uri_of, session, ref), files)]))

    with ThreadPoolExecutor(2) as pool:
        before, after = pool.map(told_of, (gone, come)) if gone else ([], [])
    if before != after:
        what = f"{len(gone)} files were merged, and their rows are not those of the {len(come)} that came of them"
        raise IntegrityError(what, where=f"{ref}:{path}", fix="nothing was published; report this")
    return now


def table_fingerprint(engine: Engine, contract: Contract, frame: DataFrame) -> list[Any]:
    """What has to be the same of a table's rows wherever they lie: their content, and which drop's they are."""
    return content_by(engine, frame, contract, key=DROP, number=ROW)


def told_of_quarantine(engine: Engine, frame: DataFrame) -> list[Any]:
    """The same of rows that were set aside: all that their table holds."""
    kinds = {
        name: f"concat_ws('\\n', {name})" if kind.startswith("array") else f"cast({name} as string)"
        for name, kind in frame.dtypes
    }
    nulls = [f"case when {name} is null then 1L else 0L end" for name in kinds]
    return [
        sorted(kinds),
        hash_of(engine, frame, [*nulls, *(f"coalesce({text}, '')" for text in kinds.values())]),
    ]
