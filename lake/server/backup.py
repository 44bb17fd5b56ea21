"""Backup and restore: a home as a folder that can be read, or put in a home's place.

Blocks never change, so they are copied while work goes on; what is left, lakeFS's key-value store among it,
is copied while the server is down for a moment. A process that needs it meanwhile waits, as for any server
that starts again. Dagster's databases are copied at work.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

from lake.runtime.disk_errors import FULL
from lake.server.home_copy import MARK, Copied, copy_files, files_of
from lake.server.lifecycle import paused
from lake.server.process import processes
from lakegate.atomic import write_atomically
from lakegate.errors import LakegateError, UsageError
from lakegate.home import Home


def backup(home: Home, folder: Path) -> Copied:
    """Copy a home into a folder: a new one, or that of an earlier backup, into which only changes are copied.

    The home's blocks may be a link to another disk.

    Raises:
        UsageError: There is no home; or the folder lies in it, holds something else, or has a running lakeFS.
        LakegateError: It can't be written.
    """
    _check(home.root, folder)
    if not home.format_file.is_file():
        fix = "name it with --home or LAKEGATE_HOME"
        raise UsageError("there is no Lakegate home", where=str(home.root), fix=fix)
    if folder.exists() and any(folder.iterdir()) and _complete(folder) is None:
        what = "this folder holds something else than a backup"
        raise UsageError(what, where=str(folder), fix="name a new or an empty one")
    _check_idle(folder)
    try:
        if not _complete(folder):
            _mark(folder, complete=False)
        copied = copy_files(home.root, folder, files_of(home.blocks))
        with paused(home):
            _mark(folder, complete=False)  # until then an earlier one is as good as it was
            files = sorted({*files_of(home.root), *files_of(home.blocks)})
            copied += copy_files(home.root, folder, files, gone=True)
        _mark(folder, complete=True)
    except (OSError, sqlite3.Error) as error:
        what = f"the backup can't be written ({getattr(error, 'strerror', None) or type(error).__name__})"
        raise LakegateError(what, where=str(folder), fix=_remedy(error)) from error
    return copied


def restore(home: Home, folder: Path) -> Copied:
    """Put a backup in the place of a home that isn't there, or is empty.

    Raises:
        UsageError: The folder is no finished backup, or has a running lakeFS; or the home holds something.
        LakegateError: It can't be written.
    """
    _check(folder, home.root)
    if (complete := _complete(folder)) is None and Home(folder).format_file.is_file():
        what = "this folder is a home, and no backup: copied while its lakeFS runs it may not be whole"
        fix = f"`lakegate backup ELSEWHERE --home {folder}` makes one to restore"
        raise UsageError(what, where=str(folder), fix=fix)
    if complete is None:
        fix = "name one that `lakegate backup` wrote"
        raise UsageError("this folder is no backup", where=str(folder), fix=fix)
    if not complete:
        fix = "make it again, or name another one"
        raise UsageError("this backup was interrupted", where=str(folder), fix=fix)
    _check_idle(folder)
    Home(folder).check_format()
    if home.root.exists() and any(home.root.iterdir()):
        fix = "move it away, or restore into another --home"
        raise UsageError("the home holds something", where=str(home.root), fix=fix)
    try:
        whole = home.root.with_name(f".{home.root.name}.restoring")
        copied = copy_files(folder, whole, files_of(folder), gone=True)
        if home.root.exists():
            home.root.rmdir()
        whole.replace(home.root)
    except OSError as error:
        what = f"the home can't be written ({error.strerror})"
        raise LakegateError(what, where=str(home.root), fix=_remedy(error)) from error
    return copied


def _remedy(error: Exception) -> str:
    full = getattr(error, "errno", None) in FULL
    return "free some disk space" if full else "see that this user may write there, or name another folder"


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
        what = "a backup and its home can't lie in each other"
        raise UsageError(what, where=str(target), fix="name a folder elsewhere")


def _check_idle(folder: Path) -> None:
    """Refuse a backup on which a lakeFS runs, as `verify --home` starts one, or was killed."""
    home = Home(folder)
    if home.server_file.exists() or (home.lakefs.is_dir() and processes(home)):
        what = "a lakeFS was started on this backup and not ended"
        raise UsageError(what, where=str(folder), fix=f"end it: lakegate down --home {folder}")
