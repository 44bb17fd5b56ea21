"""The Dagster instance in the home: it stores the runs of the command line and those of the UI."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import tempfile
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Final

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from filelock import FileLock

from lakegate.atomic import write_atomically
from lakegate.errors import LakegateError, UsageError
from lakegate.home import to_stderr
from lakegate.modes import all_may_write, foreign, private_folder, shut_cache
from lakegate.settings import Settings

_QUIET = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
"""In process nothing is captured: it would take two processes a step, and the terminal from the progress
display."""

DATABASES: Final = {
    "history/runs.db": "dagster._core.storage.runs.sqlite.sqlite_run_storage",
    "history/runs/index.db": "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "schedules/schedules.db": "dagster._core.storage.schedules.sqlite.sqlite_schedule_storage",
}
"""Dagster's SQLite files, and the module beside which each one's migrations lie. Two processes that make one
at once break it for ever."""


URL: Final = frozenset("?%")
"""What a folder's name may not hold for Dagster: it makes URLs of its databases' paths without quoting
them."""


def prepare_instance(settings: Settings) -> Path:
    """Write `dagster.yaml` where there is none, and have Dagster make its databases; returns DAGSTER_HOME.

    Raises:
        LakegateError: A database that an earlier release broke can't be mended.
        UsageError: Neither the home nor the cache has a path that Dagster takes, or the cache is another
            user's.
    """
    folder = _named(settings.home.prepare().dagster, settings.cache)
    target = folder / "dagster.yaml"
    if target.exists() and all(_marks(folder / name) == 1 for name in DATABASES):
        return folder
    with FileLock(folder / "first-use.lock"):
        if not target.exists():
            write_atomically(target, files("assets").joinpath("dagster.yaml").read_bytes())
        for name, module in DATABASES.items():
            if _marks(folder / name) > 1:
                _mend(folder / name, module)
        if not all(_marks(folder / name) == 1 for name in DATABASES):
            _instance(
                folder
            ).dispose()  # where its storage is another one, it is opened once more than it had to be
    return folder


def open_instance(settings: Settings) -> DagsterInstance:
    """The home's instance, for use in this process. Close it after use (it is a context manager)."""
    return _instance(prepare_instance(settings))


def _instance(folder: Path) -> DagsterInstance:
    return DagsterInstance.from_ref(InstanceRef.from_dir(str(folder), overrides={"compute_logs": _QUIET}))


def _named(folder: Path, cache: Path) -> Path:
    """The folder by a name that Dagster takes: its own, or that of a link in the cache."""
    if not URL & {*str(folder)}:
        return folder
    link = cache.absolute() / f"dagster-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    if URL & {*str(link)}:
        what = (
            f"Dagster can't keep its databases in {folder}, whose path holds ? or %, and the cache's does too"
        )
        raise UsageError(what, fix="name another home, or another cache by LAKEGATE_CACHE")
    if foreign(private_folder(link.parent).resolve()):
        what = "the cache belongs to another user, who could have Dagster keep its databases anywhere"
        raise UsageError(
            what,
            where=str(link.parent),
            fix="name another cache by LAKEGATE_CACHE, or another home, without ? and %",
        )
    if all_may_write(link.parent):
        shut_cache([link.parent], say=to_stderr)
    if not (link.is_symlink() and link.readlink() == folder and not foreign(link)):
        _link(link, folder)
    return link


def _link(link: Path, folder: Path) -> None:
    """Have a link lead to a folder, whatever it led to before; those whose home is gone are taken away."""
    with tempfile.TemporaryDirectory(dir=link.parent, prefix="link-") as scratch:
        fresh = Path(scratch) / link.name
        fresh.symlink_to(folder)
        try:
            fresh.replace(link)
        except OSError as error:
            what = f"a link to {folder} can't be made there ({error.strerror})"
            raise LakegateError(what, where=str(link), fix="move away what is there") from error
    for other in link.parent.glob("dagster-*"):
        if other.is_symlink() and not other.exists():
            other.unlink(missing_ok=True)


def _marks(database: Path) -> int:
    """How many states of its tables a database says that it is in; 0 where it isn't complete yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("select count(*) from alembic_version").fetchone()[0])
    except sqlite3.Error:
        return 0


def _mend(database: Path, module: str) -> None:
    """Leave only the newest of several marks.

    Whoever came second at a first use found the tables and not yet their mark, and took them for those of an
    old release.
    """
    from alembic.script import ScriptDirectory
    from dagster._core.storage.sql import get_alembic_config

    config = get_alembic_config(str(import_module(module).__file__))
    head = ScriptDirectory.from_config(config).get_current_head()
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        found = {str(row[0]) for row in connection.execute("select version_num from alembic_version")}
        if head not in found:
            states = f"in several states ({', '.join(sorted(found))}), and in none of this release"
            what = f"Dagster's database says that it is {states}"
            lost = "versions and ledger are in the lake, only Dagster's own history goes with it"
            fix = f"stop `lakegate dev`, move the file away and try again: {lost}"
            raise LakegateError(what, where=str(database), fix=fix)
        connection.execute("delete from alembic_version where version_num <> ?", (head,))
