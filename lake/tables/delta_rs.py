"""delta-rs, its options here, and its errors as ours: the one module that imports it.

Its import takes time, so import this module where it is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deltalake import DeltaTable, Schema, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, PostCommitHookProperties, create_table_with_add_actions

from lake.runtime.disk_errors import disk_error
from lakegate.errors import Conflict, IntegrityError, LakegateError

ROW_GROUP: Final = 200_000
"""Rows that are encoded together: delta-rs's default, a million, takes half a gigabyte of memory."""

__all__ = [
    "AddAction",
    "DeltaTable",
    "PrimitiveType",
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
    """What follows a commit: no cleaning up of the log, as other tags need its earlier versions."""
    return PostCommitHookProperties(cleanup_expired_logs=False)


@contextlib.contextmanager
def delta_errors(doing: str, *, local: bool = False) -> Iterator[None]:
    """Turn errors of delta-rs into ours, without their text (it quotes values: P6); `local`: on this disk."""
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
