"""Who may connect to Sail's process: only the process that started it, and no other one of this machine.

Sail's server knows no password and can only listen on TCP, which every account of the machine reaches. So its
threads' calls of `accept` go to a thread of ours first (seccomp's user notification: Linux consults a
supervisor of the process). That thread accepts the connection, looks up who holds the other end, and hands
the connection to Sail or closes it: Sail never sees a byte of a stranger. Install it before Sail's threads
start. It imports nothing of ours, like the script that uses it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Final

NUMBERS: Final = {"x86_64": (0xC000003E, 317, 288, 43), "aarch64": (0xC00000B7, 277, 242, 202)}
"""By machine that Sail is built for: its number, and those of the system calls seccomp, accept4, accept."""
NO_NEW_PRIVILEGES: Final = 38
SET_MODE_FILTER: Final = 1
FLAGS: Final = 1 << 3 | 1 << 2
"""Notify a supervisor; don't mitigate the processor's speculation, which is for untrusted code."""
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
"""Instructions of the filter: load a word, jump where it is equal, end."""
NOTIFY, ALLOW = 0x7FC00000, 0x7FFF0000
NUMBER_AT, MACHINE_AT = 0, 4
CALL, RESULT = "=QIIiIQ6Q", "=QqiI"
RECEIVE, SEND = (
    (3 << 30) | (struct.calcsize(form) << 16) | (ord("!") << 8) | number
    for number, form in enumerate((CALL, RESULT))
)
PASS_ON: Final = 1
"""The flag of a response: let the kernel do the call as if there were no supervisor."""
ESTABLISHED: Final = "01"
TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
MAPPED: Final = "0000000000000000FFFF0000"
"""What an IPv4 address of an IPv6 socket begins with in these tables."""


class _Step(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def guard(owner: int) -> None:
    """Limit the threads that this one starts from now on, and theirs, to connections of process `owner`.

    Raises:
        OSError: The system can't do that: no Linux, one before 5.5, a sandbox that forbids it, another
            machine.
    """
    if platform.system() != "Linux" or platform.machine() not in NUMBERS:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    # The supervisor starts before the filter is installed: threads inherit the filter, and it accepts itself.
    listener: Future[int] = Future()
    libc = ctypes.CDLL(None, use_errno=True)
    threading.Thread(target=_supervise, args=(libc, listener, owner), name="guard", daemon=True).start()
    listener.set_result(_install(libc))


def _install(libc: ctypes.CDLL) -> int:
    """Install the filter for this thread, and return the descriptor that its notifications come from."""
    machine, seccomp, *accepts = NUMBERS[platform.machine()]
    steps = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 0, 4, machine),
        (LOAD, 0, 0, NUMBER_AT),
        (EQUAL, 1, 0, accepts[0]),
        (EQUAL, 0, 1, accepts[1]),
        (RETURN, 0, 0, NOTIFY),
        (RETURN, 0, 0, ALLOW),
    ]
    program = _Program(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    # Otherwise only root may install a filter; Sail starts no program that would need more rights.
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    listener: int = libc.syscall(seccomp, SET_MODE_FILTER, FLAGS, ctypes.byref(program))
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return listener


def _supervise(libc: ctypes.CDLL, listener: Future[int], owner: int) -> None:
    notifications, accept4 = listener.result(), NUMBERS[platform.machine()][2]
    while True:
        call = bytearray(struct.calcsize(CALL))
        try:
            fcntl.ioctl(notifications, RECEIVE, call, True)  # it fills the buffer
        except OSError as error:
            if error.errno in (
                errno.EINTR,
                errno.ENOENT,
            ):  # the calling thread was interrupted, and calls again
                continue
            os._exit(1)  # without a supervisor no call of `accept` would return any more
        number, thread, _, name, _, _, *arguments = struct.unpack(CALL, call)
        if Path(f"/proc/self/task/{thread}").exists():
            taken, failed = _accept_own(libc, arguments, arguments[3] if name == accept4 else 0, owner)
            response = struct.pack(RESULT, number, max(taken, 0), -failed, 0)
        else:  # a process that Sail started, on sockets of its own
            taken, response = -1, struct.pack(RESULT, number, 0, 0, PASS_ON)
        try:
            fcntl.ioctl(notifications, SEND, response)
        except OSError:  # the calling thread was interrupted meanwhile, and doesn't know of the connection
            if taken >= 0:
                os.close(taken)


def _accept_own(libc: ctypes.CDLL, arguments: list[int], flags: int, owner: int) -> tuple[int, int]:
    """The owner's next connection and 0, or -1 and the error of `accept`; connections of others are closed.

    `accept` writes the address where Sail's thread wants it: the memory is the same.
    """
    where, length = ctypes.c_void_p(arguments[1]), ctypes.c_void_p(arguments[2])
    while True:
        taken: int = libc.accept4(ctypes.c_int(arguments[0]), where, length, ctypes.c_int(flags))
        if taken < 0:
            return -1, ctypes.get_errno()
        with contextlib.suppress(OSError, ValueError):
            if comes_from(taken, owner):
                return taken, 0
        os.close(taken)


def comes_from(connection: int, owner: int) -> bool:
    """Whether process `owner`, of this process's own user, holds the other end of a loopback connection."""
    with socket.socket(fileno=os.dup(connection)) as here:
        inode = peer_inode(here.getpeername()[:2], here.getsockname()[:2])
    if inode is None:
        return False
    held = f"socket:[{inode}]"
    for descriptor in Path(f"/proc/{owner}/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) == held:
                return True
    return False


def peer_inode(local: tuple[str, int], remote: tuple[str, int]) -> int | None:
    """The inode of this user's established socket between these two ends, each an address and port."""
    ends = [_written(local), _written(remote)]
    for table in TABLES:
        with contextlib.suppress(FileNotFoundError), Path(table).open(encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                fields = line.split()
                # A socket that its process closed is listed as root's, with inode 0.
                if [one.removeprefix(MAPPED) for one in fields[1:3]] == ends and fields[3] == ESTABLISHED:
                    return int(fields[9]) or None if int(fields[7]) == os.geteuid() else None
    return None


def _written(end: tuple[str, int]) -> str:
    address = struct.unpack("=I", socket.inet_aton(end[0].removeprefix("::ffff:")))[0]
    return f"{address:08X}:{end[1]:04X}"
