"""A disk that is full, or can't be written: an `OSError` anywhere becomes one of our errors."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lakegate.errors import LakegateError, Transient

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
CLOSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
HANDLES: Final = frozenset({errno.EMFILE, errno.ENFILE})
DEEPEST: Final = 8
"""Causes of an error that are looked at."""
OURS: Final = FULL | CLOSED | HANDLES


@contextlib.contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn errors of a disk into ours; `place` is named where the error names no file.

    Raises:
        Transient: It is full, which may be so for a moment only.
        LakegateError: It can't be written, or no file can be opened any more.
    """
    try:
        yield
    except OSError as error:
        if (ours := disk_error(error, place)) is None:
            raise
        raise ours from error


def disk_error(error: Exception, place: Path) -> LakegateError | None:
    """Our error, where this one is of a disk."""
    if not isinstance(error, OSError) or error.errno not in OURS:
        return None
    where = str(error.filename or place)
    if error.errno in HANDLES:
        limit = "this process has" if error.errno == errno.EMFILE else "this machine has"
        fix = "allow it more, as by `ulimit -n 1024`, or let fewer processes work at once"
        return LakegateError(f"{limit} as many files open as it may", where=where, fix=fix)
    if error.errno in FULL:
        fix = "free some space, then run it again: what was delivered is where it was"
        return Transient("the disk is full", where=where, fix=fix)
    fix = "make it writable for this user, then run it again"
    return LakegateError(f"it can't be written ({error.strerror})", where=where, fix=fix)


def cause_on_disk(error: BaseException) -> OSError | None:
    """The error of this machine's disk or files that caused another one, such as a client's."""
    found: BaseException | None = error
    for _ in range(DEEPEST):
        if found is None or (isinstance(found, OSError) and found.errno in OURS):
            return found
        reason = getattr(found, "reason", None)
        inner = reason if isinstance(reason, BaseException) else None
        found = found.__cause__ or inner or found.__context__
    return None


def link_or_copy(source: Path, target: Path) -> None:
    """Put a file at another place, for its owner alone: as a link where that can be, which takes no room."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
    target.chmod(0o600)
