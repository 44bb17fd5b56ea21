"""Leases on this home: one holder at a time; a lease is free when its holder dies, or is silent for too long.

filelock makes a lease's file first and writes its holder's name into it then. It takes one that stays empty
for that of an early release of its own, held for as long as it is there (filelock 4.2, `SoftFileLock`): a
process that is killed in between would be waited for forever. No such release ever worked on a home, so here
a lease that is empty for longer than its time is free.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Final

from filelock import LeaseSettingsMismatch, SoftFileLease, Timeout

from lakegate.errors import UsageError
from lakegate.modes import private_folder

POLL: Final = 0.02
"""Seconds between two looks at a lease."""
Held = contextlib.AbstractContextManager[object]


def lease_at(path: Path, *, seconds: float) -> SoftFileLease:
    """The lease of that file (re-entrant); `seconds`: the silence after which it is free."""
    private_folder(path.parent)
    return SoftFileLease(path, lease_duration=seconds, poll_interval=POLL)


def wait_for(lease: SoftFileLease) -> Held:
    """Hold it, once it is free.

    Raises:
        UsageError: Another process was given another time of silence.
    """
    while (held := at_once(lease, within=lease.lease_duration)) is None:
        pass
    return held


def at_once(lease: SoftFileLease, *, within: float = 0) -> Held | None:
    """Hold it where it is free now, or gets free in so many seconds; else None.

    Raises:
        UsageError: Another process was given another time of silence.
    """
    _free_if_unwritten(Path(lease.lock_file), after=lease.lease_duration)
    try:
        return lease.acquire(timeout=within)
    except Timeout:
        return None
    except LeaseSettingsMismatch as error:
        what = "another process works on this home with another LAKEGATE_LEASE"
        raise UsageError(what, where=str(lease.lock_file), fix="give all of them the same") from error


def _free_if_unwritten(path: Path, *, after: float) -> None:
    """Delete a lease whose holder died before it wrote its name.

    Should two processes do so at once, one may delete the other's: both go on then, which costs work and
    nothing else, as where a lease runs out.
    """
    with contextlib.suppress(OSError):
        found = path.stat()
        if found.st_size == 0 and time.time() - found.st_mtime > after:
            path.unlink()
