"""A disk that is full, or can't be written: wherever that shows, it is told as one of our errors."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lakegate.errors import LakegateError, Transient

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
CLOSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn errors of a disk into ours; `place` is named where the error names no file.

    Raises:
        Transient: It is full, which may be so for a moment only.
        LakegateError: It can't be written.
    """
    try:
        yield
    except OSError as error:
        if (told := disk_error(error, place)) is None:
            raise
        raise told from error


def disk_error(error: Exception, place: Path) -> LakegateError | None:
    """Our error, where this one is of a disk."""
    if not isinstance(error, OSError) or error.errno not in FULL | CLOSED:
        return None
    where = str(error.filename or place)
    if error.errno in FULL:
        return Transient("the disk is full", where=where, fix="free some space, then run it again: what was delivered is where it was")
    return LakegateError(f"it can't be written ({error.strerror})", where=where, fix="make it writable for this user, then run it again")
