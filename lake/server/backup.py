"""Backup and restore: a home as a folder that can be read, or put in a home's place.

Blocks never change, so they are copied while work goes on; what is left, lakeFS's key-value store among it, is copied while the server is
down for a moment. Whoever asks it meanwhile waits, as for any server that starts again. Dagster's databases are copied at work.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lake.runtime.disk_errors import FULL
from lake.server.lifecycle import paused
from lake.server.process import processes
from lakegate.atomic import write_atomically
from lakegate.errors import LakegateError, UsageError
from lakegate.home import Home

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
"""What a process makes anew, or what tells of this host's."""
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


def backup(home: Home, folder: Path) -> Copied:
    """Copy a home (its blocks may be a link to another disk) into a folder: a new one, or that of an earlier backup of the same home, which then takes what is new.

    Raises:
        UsageError: There is no home, or the folder lies in it or holds something else, or a lakeFS runs there.
        LakegateError: It can't be written.
    """
    _check(home.root, folder)
    if not home.format_file.is_file():
        raise UsageError(
            "there is no Lakegate home", where=str(home.root), fix="name it with --home or LAKEGATE_HOME"
        )
    if folder.exists() and any(folder.iterdir()) and _complete(folder) is None:
        raise UsageError(
            "this folder holds something else than a backup",
            where=str(folder),
            fix="name a new or an empty one",
        )
    _check_idle(folder)
    try:
        if not _complete(folder):
            _mark(folder, complete=False)
        copied = _copy(home.root, folder, list(_files(home.blocks)))
        with paused(home):
            _mark(folder, complete=False)  # until then an earlier one is as good as it was
            copied += _copy(home.root, folder, sorted({*_files(home.root), *_files(home.blocks)}), gone=True)
        _mark(folder, complete=True)
    except (OSError, sqlite3.Error) as error:
        what = f"the backup can't be written ({getattr(error, 'strerror', None) or type(error).__name__})"
        raise LakegateError(what, where=str(folder), fix=_remedy(error)) from error
    return copied


def restore(home: Home, folder: Path) -> Copied:
    """Put a backup in the place of a home that isn't there, or is empty.

    Raises:
        UsageError: The folder is no backup that was finished, or a lakeFS runs there; or the home holds something.
        LakegateError: It can't be written.
    """
    _check(folder, home.root)
    if (complete := _complete(folder)) is None and Home(folder).format_file.is_file():
        what = "this folder is a home, and no backup: copied while its lakeFS runs it may not be whole"
        raise UsageError(
            what, where=str(folder), fix=f"`lakegate backup ELSEWHERE --home {folder}` makes one to restore"
        )
    if complete is None:
        raise UsageError(
            "this folder is no backup", where=str(folder), fix="name one that `lakegate backup` wrote"
        )
    if not complete:
        raise UsageError(
            "this backup was interrupted", where=str(folder), fix="make it again, or name another one"
        )
    _check_idle(folder)
    Home(folder).check_format()
    if home.root.exists() and any(home.root.iterdir()):
        raise UsageError(
            "the home holds something",
            where=str(home.root),
            fix="move it away, or restore into another --home",
        )
    try:
        whole = home.root.with_name(f".{home.root.name}.restoring")
        copied = _copy(folder, whole, list(_files(folder)), gone=True)
        if home.root.exists():
            home.root.rmdir()
        whole.replace(home.root)
    except OSError as error:
        raise LakegateError(
            f"the home can't be written ({error.strerror})", where=str(home.root), fix=_remedy(error)
        ) from error
    return copied


def _remedy(error: Exception) -> str:
    return (
        "free some disk space"
        if getattr(error, "errno", None) in FULL
        else "see that this user may write there, or name another folder"
    )


def _complete(folder: Path) -> bool | None:
    """Whether a folder holds a complete backup; None where it holds none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return bool(json.loads((folder / MARK).read_text())["complete"])
    return None


def _mark(folder: Path, *, complete: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(folder / MARK, json.dumps({"complete": complete}) + "\n")


def _check(source: Path, target: Path) -> None:
    source, target = source.resolve(), target.resolve()
    if source == target or source in target.parents or target in source.parents:
        raise UsageError(
            "a backup and its home can't lie in each other", where=str(target), fix="name a folder elsewhere"
        )


def _check_idle(folder: Path) -> None:
    """Refuse a backup whose lakeFS is at work: `verify --home` started it. Its record is left where it was killed, or copied at work."""
    home = Home(folder)
    if home.server_file.exists() or (home.lakefs.is_dir() and processes(home)):
        what = "a lakeFS was started on this backup and not ended"
        raise UsageError(what, where=str(folder), fix=f"end it: lakegate down --home {folder}")


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


def _copy(source: Path, target: Path, files: list[Path], *, gone: bool = False) -> Copied:
    """Copy files whose size or time differ, each under another name first; `gone`: remove those that the source has no more."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    copied, there = Copied(), set[Path]()
    for path in files:
        relative = path.relative_to(source)
        if relative.as_posix().startswith(NOT_COPIED) or _is_journal(path):
            continue
        try:
            copied += _copy_file(path, target / relative)
            there.add(relative)
        except FileNotFoundError:  # a journal, a delivery that was taken in, a block that a clean-up freed: put away since it was listed
            if path.exists():
                raise
    if gone:
        for path in _files(target):
            if path.relative_to(target) not in there and path.name != MARK:
                path.unlink()
    return copied


def _copy_file(path: Path, place: Path) -> Copied:
    status, database = path.stat(), _is_database(path)
    if (
        not database
        and place.exists()
        and (place.stat().st_size, place.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    ):
        return Copied()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = place.with_name(f".{place.name}.tmp")
    if database:
        _copy_database(path, fresh)
    elif status.st_blocks * 512 < status.st_size:  # lakeFS sets gigabytes aside, of which a kill leaves holes
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
    return (
        path.name.endswith(JOURNALS)
        and (of := path.with_name(path.name.rpartition("-")[0])).exists()
        and _is_database(of)
    )


def _copy_database(path: Path, fresh: Path) -> None:
    """Copy a SQLite database, whoever writes to it meanwhile, as its own online backup does."""
    fresh.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(fresh)) as target,
    ):
        source.backup(target)
    fresh.chmod(path.stat().st_mode)
