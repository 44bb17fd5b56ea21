"""Who may speak to Sail's process: only the process that started it, and nobody else of this machine, from the first moment on.

Sail's server knows no password and can only listen on TCP, which every account of the machine reaches. So its threads' calls of
`accept` come to a thread of ours first (Linux asks a process's own supervisor: seccomp's user notification). That thread takes the
connection, looks up whose socket the other end is, and gives it to Sail or closes it: Sail never sees a byte of a stranger.
Install it before Sail's threads are there; it imports nothing of ours, like the script that uses it.
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
from pathlib import Path
from typing import Final

NUMBERS: Final = {"x86_64": (0xC000003E, 317, 288, 43), "aarch64": (0xC00000B7, 277, 242, 202)}
"""Of each machine that Sail is built for: what seccomp calls it, and the system calls seccomp, accept4 and accept."""
NO_NEW_PRIVILEGES: Final = 38
SET_MODE_FILTER: Final = 1
FLAGS: Final = 1 << 3 | 1 << 2
"""A supervisor, and no brake on the processor's speculation, which is for code that isn't trusted."""
LOAD, EQUAL, ANSWER = 0x20, 0x15, 0x06
"""Of the filter's machine: load a word, jump where it is equal, end."""
ASK, ALLOW = 0x7FC00000, 0x7FFF0000
NUMBER_AT, MACHINE_AT = 0, 4
CALL, RESULT = "=QIIiIQ6Q", "=QqiI"
RECEIVE, SEND = (
    (3 << 30) | (struct.calcsize(form) << 16) | (ord("!") << 8) | number
    for number, form in enumerate((CALL, RESULT))
)
PASS_ON: Final = 1
"""The flag of an answer: let the kernel carry the call out as if nobody had asked."""
ESTABLISHED: Final = "01"
TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
MAPPED: Final = "0000000000000000FFFF0000"
"""What an IPv4 address begins with where a socket of IPv6 uses it, as these tables write it."""


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
    """From now on threads that this one starts, and theirs, are given connections of process `owner` alone.

    Raises:
        OSError: The system can't do that: no Linux, one before 5.5, a sandbox that doesn't let it, another machine.
    """
    if platform.system() != "Linux" or platform.machine() not in NUMBERS:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    # It has to be there before the filter, which threads inherit: it accepts itself.
    asked, given = threading.Event(), [-1]
    libc = ctypes.CDLL(None, use_errno=True)
    threading.Thread(target=_supervise, args=(libc, asked, given, owner), name="guard", daemon=True).start()
    given[0] = _install(libc)
    asked.set()


def _install(libc: ctypes.CDLL) -> int:
    """Install the filter for this thread, and return where its questions are read."""
    machine, seccomp, *accepts = NUMBERS[platform.machine()]
    steps = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 0, 4, machine),
        (LOAD, 0, 0, NUMBER_AT),
        (EQUAL, 1, 0, accepts[0]),
        (EQUAL, 0, 1, accepts[1]),
        (ANSWER, 0, 0, ASK),
        (ANSWER, 0, 0, ALLOW),
    ]
    program = _Program(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    # Without it the system lets only root install one; Sail starts no program that would need more rights.
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    listener: int = libc.syscall(seccomp, SET_MODE_FILTER, FLAGS, ctypes.byref(program))
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return listener


def _supervise(libc: ctypes.CDLL, asked: threading.Event, given: list[int], owner: int) -> None:
    asked.wait()
    accept4 = NUMBERS[platform.machine()][2]
    while True:
        call = bytearray(struct.calcsize(CALL))
        try:
            fcntl.ioctl(given[0], RECEIVE, call, True)  # it fills the buffer
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT):  # whoever asked was interrupted, and asks again
                continue
            os._exit(1)  # without it nobody would be let in any more; nobody else is either
        number, thread, _, name, _, _, *arguments = struct.unpack(CALL, call)
        if Path(f"/proc/self/task/{thread}").exists():
            taken, failed = _accept_own(libc, arguments, arguments[3] if name == accept4 else 0, owner)
            answer = struct.pack(RESULT, number, max(taken, 0), -failed, 0)
        else:  # a process that Sail started, on sockets of its own
            taken, answer = -1, struct.pack(RESULT, number, 0, 0, PASS_ON)
        try:
            fcntl.ioctl(given[0], SEND, answer)
        except OSError:  # it was interrupted meanwhile, and doesn't know of the connection
            if taken >= 0:
                os.close(taken)


def _accept_own(libc: ctypes.CDLL, arguments: list[int], flags: int, owner: int) -> tuple[int, int]:
    """The next connection of the owner's and 0, or -1 and the error that `accept` ends with; those of others are closed.

    It writes the address where Sail's thread wants it: the memory is the same.
    """
    where, length = ctypes.c_void_p(arguments[1]), ctypes.c_void_p(arguments[2])
    while True:
        taken: int = libc.accept4(ctypes.c_int(arguments[0]), where, length, ctypes.c_int(flags))
        if taken < 0:
            return -1, ctypes.get_errno()
        ours = False
        with contextlib.suppress(OSError, ValueError):
            ours = comes_from(taken, owner)
        if ours:
            return taken, 0
        os.close(taken)


def comes_from(connection: int, owner: int) -> bool:
    """Whether the other end of a TCP connection over loopback is held by process `owner`, of this process's own user."""
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
    """The inode of this user's established socket with that address and port at its own end, and those at the other."""
    ends = [_written(local), _written(remote)]
    for table in TABLES:
        with contextlib.suppress(FileNotFoundError), Path(table).open(encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                fields = line.split()
                # One that its process closed belongs to nobody, and stands there as root's with inode 0.
                if [one.removeprefix(MAPPED) for one in fields[1:3]] == ends and fields[3] == ESTABLISHED:
                    return int(fields[9]) or None if int(fields[7]) == os.geteuid() else None
    return None


def _written(end: tuple[str, int]) -> str:
    address = struct.unpack("=I", socket.inet_aton(end[0].removeprefix("::ffff:")))[0]
    return f"{address:08X}:{end[1]:04X}"
