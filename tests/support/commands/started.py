"""Processes that begin where the imports of `lakegate` end: what kills hundreds would spend most of its time
on those.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import threading
import weakref
from multiprocessing.connection import Connection
from typing import Any

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.support.commands.victim"])
LIVING: weakref.WeakSet[Started] = weakref.WeakSet()
"""Those that may not have ended."""


class Started:
    """A command line in a process group of its own, asked and waited for as one by `subprocess.Popen` is.

    It is forked from a process that did nothing but import: no session, no connection,
    no thread of Python's is older than it. It ends without taking its modules apart.
    """

    def __init__(self, plan: dict[str, Any], arguments: list[str], environ: dict[str, str]) -> None:
        from tests.support.commands.victim import begin

        pipes = [FORKED.Pipe(duplex=False) for _ in range(2)]
        ends = [writer for _, writer in pipes]
        self._process = FORKED.Process(target=begin, args=(plan, arguments, environ, *ends), daemon=True)
        self._process.start()
        for end in ends:
            end.close()
        self._said = [""] * len(pipes)
        self._readers = [
            threading.Thread(target=self._read, args=(n, end), daemon=True)
            for n, (end, _) in enumerate(pipes)
        ]
        for reader in self._readers:
            reader.start()  # one that is never read waits for ever, once its pipe is full
        LIVING.add(self)

    def _read(self, number: int, end: Connection) -> None:
        with end, open(end.fileno(), closefd=False, encoding="utf-8", errors="replace") as text:
            self._said[number] = text.read()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with, the negative number of the signal that killed it, or None while it lives."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its end.

        Raises:
            subprocess.TimeoutExpired: It lives on after these seconds.
        """
        self._process.join(timeout)
        if (code := self.returncode) is None:
            raise subprocess.TimeoutExpired("lakegate", timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; what it wrote to stdout and to stderr."""
        self.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
            assert not reader.is_alive(), "something that it started holds its stdout or stderr"
        out, err = self._said
        return out, err

    def kill(self) -> None:
        """Kill it and what it started, whether it is stopped or not."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()


def end_all() -> None:
    """Kill those that a test left behind: Python waits for them before it ends."""
    for started in list(LIVING):
        if started.poll() is None:
            started.kill()
            started.wait(5)
