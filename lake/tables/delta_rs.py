"""delta-rs, how it is set here, and its errors as ours: the one module that imports it.

Its import takes time, so whoever needs this module imports it where it is needed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deltalake import DeltaTable, Schema, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, PostCommitHookProperties, create_table_with_add_actions

from lake.runtime.disk_errors import disk_error
from lakegate.errors import Conflict, IntegrityError, LakegateError

ROW_GROUP: Final = 200_000
"""Rows that are encoded together: delta-rs's million of them takes half a gigabyte."""

__all__ = [
    "AddAction",
    "DeltaTable",
    "Schema",
    "TableNotFoundError",
    "commit_hooks",
    "create_table_with_add_actions",
    "delta_errors",
    "write_deltalake",
    "writer_properties",
]


def writer_properties() -> WriterProperties:
    """How delta-rs writes data files here."""
    return WriterProperties(compression="SNAPPY", max_row_group_size=ROW_GROUP)


def commit_hooks() -> PostCommitHookProperties:
    """Of a commit: earlier versions of the log are other tags' as well, so nothing is cleaned up."""
    return PostCommitHookProperties(cleanup_expired_logs=False)


@contextlib.contextmanager
def delta_errors(doing: str, *, local: bool = False) -> Iterator[None]:
    """Turn delta-rs's errors into ours, without their text, which may quote values (P6).

    `local`: what it does is done on this disk.
    """
    try:
        yield
    except CommitFailedError as error:
        raise Conflict(f"another writer was first ({doing})", fix="run it again") from error
    except OSError as error:
        if not local:
            raise
        if (known := disk_error(error, Path(doing))) is not None:
            raise known from None
        what = f"the scratch folder can't be used, {doing} ({error.strerror or type(error).__name__})"
        fix = "free some disk space, or name another folder with LAKEGATE_SCRATCH"
        raise LakegateError(what, fix=fix) from None
    except DeltaError as error:
        what = f"delta-rs failed, {doing} ({type(error).__name__})"
        fix = "nothing was published; run it again, and report it where it comes again"
        raise IntegrityError(what, fix=fix) from None
