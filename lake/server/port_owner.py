"""Whether it is the home's own lakeFS that listens on a port.

Keys go there only then: when a server has died, any process may take its port.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lake.server.state_files import ServerRecord, read_server
from lakegate.errors import LakegateError
from lakegate.home import Home

if TYPE_CHECKING:
    import psutil

TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
"""Every user may read them; whose descriptor a socket is only its owner and root."""
LOOPBACK: Final = "0100007F" if sys.byteorder == "little" else "7F000001"
LISTENING: Final = "0A"
CLOCK: Final = 2.0
"""Seconds by which two readings of a process's start may differ: the system's clock is set while it runs."""


def is_own(home: Home) -> bool:
    """Whether the server on record lives, works in this home's folder, and holds the port on record."""
    try:
        recorded = read_server(home)
    except LakegateError:
        return False
    return recorded is not None and holds(recorded, home.lakefs)


def holds(recorded: ServerRecord, folder: Path) -> bool:
    """Whether that very process listens on that port of loopback, with `folder` as its working directory.

    Where its descriptors can't be read, because another user started it, it has to be root's or the folder's
    owner's.
    """
    if not Path("/proc/net/tcp").exists():
        return _holds_by_psutil(recorded)
    if (found := _listener(recorded.port)) is None:
        return False
    (inode, uid), process = found, Path(f"/proc/{recorded.pid}")
    try:
        return (process / "cwd").readlink() == folder.resolve() and _has_open(process, inode)
    except FileNotFoundError:
        return False
    except PermissionError:
        return uid in (0, folder.stat().st_uid) and recorded_process(recorded) is not None


def _has_open(process: Path, inode: int) -> bool:
    for descriptor in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) == f"socket:[{inode}]":
                return True
    return False


def _listener(port: int) -> tuple[int, int] | None:
    """Inode and user id of the socket that listens on that port of 127.0.0.1 alone; None without one."""
    for table in TABLES:
        with contextlib.suppress(FileNotFoundError), Path(table).open(encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[1] == f"{LOOPBACK}:{port:04X}" and fields[3] == LISTENING:
                    return int(fields[9]), int(fields[7])
    return None


def recorded_process(recorded: ServerRecord) -> psutil.Process | None:
    """The process on record, where it lives: no other one that was given its id."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(recorded.pid)
        if abs(process.create_time() - recorded.started) < CLOCK:
            return process
    return None


def listens(process: psutil.Process, port: int) -> bool:
    """Whether a process listens on a port.

    Raises:
        psutil.Error: It ended, or is not this user's to look at.
    """
    import psutil

    found = process.net_connections("tcp4")
    return any(one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN for one in found)


def _holds_by_psutil(recorded: ServerRecord) -> bool:
    """The same where the system has no /proc."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = recorded_process(recorded)
        return process is not None and listens(process, recorded.port)
    return False
