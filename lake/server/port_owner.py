"""Whether it is the home's own lakeFS that listens on a port: asked before keys go there, for anybody may sit on a dead server's port."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Final

from lake.server.state_files import ServerRecord, read_server
from lakegate.errors import LakegateError
from lakegate.home import Home

TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
"""Every user may read them; whose descriptor a socket is only its owner and root."""
LOOPBACK: Final = "0100007F" if sys.byteorder == "little" else "7F000001"
LISTENING: Final = "0A"
CLOCK: Final = 2.0
"""Seconds that a process's start may be told differently: the system's clock is set while it runs."""


def is_own(home: Home) -> bool:
    """Whether the server on record lives, works in this home's folder, and holds the port on record."""
    try:
        recorded = read_server(home)
    except LakegateError:
        return False
    return recorded is not None and holds(recorded, home.lakefs)


def holds(recorded: ServerRecord, folder: Path) -> bool:
    """Whether that very process listens on that port of loopback, with `folder` as its working directory.

    Where its descriptors can't be read, because another user started it, who it is has to do: root, or the folder's owner.
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
        return uid in (0, folder.stat().st_uid) and _same_start(recorded)


def _has_open(process: Path, inode: int) -> bool:
    for descriptor in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) == f"socket:[{inode}]":
                return True
    return False


def _listener(port: int) -> tuple[int, int] | None:
    """Inode and user id of the socket that listens on that port of 127.0.0.1, on no other address; None where there is none."""
    for table in TABLES:
        with contextlib.suppress(FileNotFoundError), Path(table).open(encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[1] == f"{LOOPBACK}:{port:04X}" and fields[3] == LISTENING:
                    return int(fields[9]), int(fields[7])
    return None


def _same_start(recorded: ServerRecord) -> bool:
    import psutil

    try:
        return abs(psutil.Process(recorded.pid).create_time() - recorded.started) < CLOCK
    except psutil.Error:
        return False


def _holds_by_psutil(recorded: ServerRecord) -> bool:
    """The same where the system has no /proc."""
    import psutil

    try:
        open_there = psutil.Process(recorded.pid).net_connections("tcp4")
    except psutil.Error:
        return False
    return _same_start(recorded) and any(
        one.laddr and one.laddr.port == recorded.port and one.status == psutil.CONN_LISTEN
        for one in open_there
    )
