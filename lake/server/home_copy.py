"""Copy those files of a home that changed: databases by their own backup, files with holes without them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = "backup.json"
"""In a backup: whether it is complete. One that was interrupted is not, until it is made again."""
NOT_COPIED: Final = (
    MARK,
    "scratch",
    "cache",
    "locks",
    "breakers",
    "lakefs/cache",
    "lakefs/lock",
    "lakefs/server.json",
    "lakefs/lakefs.log",
)
"""What a process makes anew, or what is about this host's processes."""
DATABASE: Final = b"SQLite format 3\0"
"""What Dagster's databases begin with, which may be at work."""
JOURNALS: Final = ("-journal", "-wal", "-shm")
"""Of those: what is in them is in the copy."""
CHUNK: Final = 1024**2
"""Bytes of a file with holes that are copied in one go, or left out where all are zero."""


@dataclass(frozen=True)
class Copied:
    """Files that were copied, and their bytes; what was there already is not among them."""

    files: int = 0
    size: int = 0

    def __add__(self, other: Copied) -> Copied:
        return Copied(self.files + other.files, self.size + other.size)


def files_of(root: Path) -> Iterator[Path]:
    """The files below a folder, in their order; no links."""
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


def copy_files(source: Path, target: Path, files: Iterable[Path], *, gone: bool = False) -> Copied:
    """Copy files whose size or time differ, each under another name first.

    Args:
        source: The folder that they are in.
        target: The folder that they are copied to.
        files: Some of the source's.
        gone: Delete those of the target that are not among them.
    """
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    copied, there = Copied(), set[Path]()
    for path in files:
        relative = path.relative_to(source)
        if relative.as_posix().startswith(NOT_COPIED) or _is_journal(path):
            continue
        try:
            copied += _copy_file(path, target / relative)
            there.add(relative)
        except FileNotFoundError:  # gone since it was listed: a journal, a delivery, a block that expired
            if path.exists():
                raise
    if gone:
        for path in files_of(target):
            if path.relative_to(target) not in there and path.name != MARK:
                path.unlink()
    return copied


def _copy_file(path: Path, place: Path) -> Copied:
    status, database = path.stat(), _is_database(path)
    if not database and place.exists():
        there = place.stat()
        if (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return Copied()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = place.with_name(f".{place.name}.tmp")
    if database:
        _copy_database(path, fresh)
    elif status.st_blocks * 512 < status.st_size:  # lakeFS allocates gigabytes, of which a kill leaves holes
        _copy_sparse(path, fresh)
    else:
        shutil.copy2(path, fresh)
    fresh.replace(place)
    return Copied(1, min(status.st_size, status.st_blocks * 512))


def _copy_sparse(path: Path, fresh: Path) -> None:
    """Copy a file that takes less room than its length, and leave its holes out: `shutil` would fill them."""
    hole = bytes(CHUNK)
    with path.open("rb") as source, fresh.open("wb") as target:
        while chunk := source.read(CHUNK):
            if chunk != hole[: len(chunk)]:
                target.write(chunk)
            else:
                target.seek(len(chunk), os.SEEK_CUR)
        target.truncate()
    shutil.copystat(path, fresh)


def _is_database(path: Path) -> bool:
    if path.suffix != ".db":
        return False
    with path.open("rb") as file:
        return file.read(len(DATABASE)) == DATABASE


def _is_journal(path: Path) -> bool:
    if not path.name.endswith(JOURNALS):
        return False
    database = path.with_name(path.name.rpartition("-")[0])
    return database.exists() and _is_database(database)


def _copy_database(path: Path, fresh: Path) -> None:
    """Copy a SQLite database, whoever writes to it meanwhile, as its own online backup does."""
    fresh.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(fresh)) as target,
    ):
        source.backup(target)
    fresh.chmod(path.stat().st_mode)
