"""Processes that begin where the imports of `lakegate` end: what kills hundreds would spend most of its time on those."""

from __future__ import annotations

import multiprocessing
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.crash.victim"])


class Started:
    """A command line in a process group of its own, asked and waited for as one by `subprocess.Popen` is.

    It is forked from a process that did nothing but import: no thread, no session, no connection is older than it.
    """

    def __init__(self, plan: dict[str, Any], arguments: list[str], environ: dict[str, str]) -> None:
        from tests.crash.victim import begin

        pipes = [FORKED.Pipe(duplex=False) for _ in range(2)]
        ends = [writer for _, writer in pipes]
        self._process = FORKED.Process(target=begin, args=(plan, arguments, environ, *ends), daemon=True)
        self._process.start()
        for end in ends:
            end.close()
        pool = ThreadPoolExecutor(len(pipes))  # one that is never read waits for ever, once its pipe is full
        self._said: list[Future[str]] = [pool.submit(_all_of, reader) for reader, _ in pipes]
        pool.shutdown(wait=False)

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
        out, err = (said.result(timeout) for said in self._said)
        return out, err

    def kill(self) -> None:
        self._process.kill()


def _all_of(reader: Connection) -> str:
    with reader, open(reader.fileno(), closefd=False, encoding="utf-8", errors="replace") as text:
        return text.read()
