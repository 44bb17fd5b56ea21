"""The files of a Delta table on a branch, each with size, rows and SHA-256.

delta-rs reads only the log, never data (its S3 reader aborted processes at exit).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from lake.session import Session
from lake.tables.delta_log import with_log
from lake.tables.log_cache import Log
from lake.tables.range_hashes import describe_file
from lakegate.errors import IntegrityError
from lakegate.manifest import DataFile

HASHERS: Final = 4
"""Files hashed at once."""
FEW: Final = 16
"""Objects up to which each is requested by itself, without a listing."""

Added = list[tuple[str, int | None]]
"""Files that a commit added to a table: their paths in the tree, and their rows."""


class Listed(NamedTuple):
    """A file that a Delta log names: its path in the tree, its rows, its physical address, and its bytes."""

    path: str
    rows: int
    physical: str
    size: int


def list_table(
    session: Session, ref: str, path: str, *, known: Sequence[DataFile] = (), added: Added | None = None
) -> list[Listed]:
    """The files of the Delta table at `path` in the tree `ref`; an absent table has none.

    Args:
        session: The open lake.
        ref: A branch, tag or commit.
        path: Of the table.
        known: The parent version's files, which never change.
        added: All files that the table has beyond those; None: the log is read, which takes longer with each
            file.

    Raises:
        IntegrityError: The log names a file that the tree does not hold, or one without a row count.
    """
    before = {item.path: Listed(item.path, item.rows, item.physical, item.size) for item in known}
    if added is None:
        named = [(f"{path}/{name}", rows) for name, rows in _active(session, ref, path)]
    else:
        named = [*((item.path, item.rows) for item in known), *added]
    stored = _stored(session, ref, path, [name for name, _ in named if name not in before])
    return [
        before.get(name) or _listed(session, stored.get(name), name, rows, where=f"{ref}:{path}")
        for name, rows in named
    ]


def _stored(session: Session, ref: str, path: str, names: Sequence[str]) -> dict[str, Any]:
    """What lakeFS knows of these objects of a table, whose folder holds more files with each version."""
    repository = session.repository
    if len(names) > FEW:
        return {item.path: item for item in repository.listing(ref, f"{path}/")}
    with ThreadPoolExecutor(HASHERS) as pool:
        found = list(pool.map(lambda name: repository.stat(ref, name), names))
    return {item.path: item for item in found if item is not None}


def _listed(session: Session, stored: Any, name: str, rows: int | None, *, where: str) -> Listed:
    if stored is None or rows is None:
        lack = "without a row count" if stored else "the tree does not hold it"
        what = f"the Delta log names {name.rsplit('/', 1)[-1]}, {lack}"
        raise IntegrityError(what, where=where, fix="write the version again: run the drop once more")
    return Listed(name, rows, session.repository.physical(stored.physical_address), int(stored.size_bytes))


def table_files(
    session: Session,
    ref: str,
    path: str,
    *,
    known: Sequence[DataFile],
    added: Added | None = None,
    listed: Sequence[Listed] | None = None,
) -> list[DataFile]:
    """The files of the Delta table at `path` in the tree `ref`: first those in `known`, then others by path.

    Args:
        session: The open lake.
        ref: A branch, tag or commit.
        path: Of the table.
        known: The parent version's files; all others are hashed, see `describe_file`.
        added: See `list_table`.
        listed: What `list_table` returned, if it was called already.

    Raises:
        IntegrityError: See `list_table`.
    """
    listed = list_table(session, ref, path, known=known, added=added) if listed is None else listed
    there = {item.path for item in listed}
    before = {item.path: item for item in known}

    def describe(item: Listed) -> DataFile:
        return describe_file(session, ref, item.path, physical=item.physical, size=item.size, rows=item.rows)

    with ThreadPoolExecutor(HASHERS) as pool:
        described = list(pool.map(describe, [item for item in listed if item.path not in before]))
    return [*(item for item in known if item.path in there), *sorted(described, key=lambda item: item.path)]


def _active(session: Session, ref: str, path: str) -> list[tuple[str, int | None]]:
    def read(log: Log) -> Any:
        table = log.opened()
        return table and table.get_add_actions(flatten=True)

    if (actions := with_log(session, ref, path, read, doing=f"reading the Delta log of {path}")) is None:
        return []
    names = map(unquote, actions["path"].to_pylist())
    return list(zip(names, actions["num_records"].to_pylist(), strict=True))
