"""A program watched from outside: wall time, CPU, memory of all its processes, bytes written."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

EVERY: Final = 0.1
"""Seconds between two looks."""


@dataclass
class Seen:
    """Seconds, bytes and output; `memory` is the peak of the sum over its processes and the server's."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    anonymous: int = 0
    """As `memory`, without pages of files that are mapped."""
    written: int = 0
    others: float = 0.0
    """CPU seconds that the machine spent on anything else meanwhile: what a wall time is worth."""
    code: int | None = 0
    timed_out: bool = False
    out: str = ""
    errors: str = ""


@dataclass
class _Watch:
    """The processes of one run, sampled in a thread."""

    root: int
    server: psutil.Process
    seen: Seen
    done: threading.Event = field(default_factory=threading.Event)
    cpu: dict[int, float] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = _written(self.server), _cpu(self.server)

    def loop(self) -> None:
        while not self.done.wait(EVERY):
            self.look()

    def look(self) -> None:
        memory = anonymous = 0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                info = process.memory_info()
                memory, anonymous = memory + info.rss, anonymous + info.rss - info.shared
                self.cpu[process.pid], self.written[process.pid] = _cpu(process), _written(process)
        self.seen.memory = max(self.seen.memory, memory)
        self.seen.anonymous = max(self.seen.anonymous, anonymous)

    def close(self, usage: float) -> None:
        """Sum up: CPU by the kernel's account, or by the samples, whichever is more; then the server's."""
        written, cpu = self.before
        sampled = sum(seconds for pid, seconds in self.cpu.items() if pid != self.server.pid)
        self.seen.cpu = max(usage, sampled) + _cpu(self.server) - cpu
        own = sum(count for pid, count in self.written.items() if pid != self.server.pid)
        self.seen.written = own + _written(self.server) - written

    def _processes(self) -> Iterator[psutil.Process]:
        yield self.server
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self.root)
            yield root
            yield from root.children(recursive=True)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _busy() -> float:
    """CPU seconds of the whole machine so far."""
    times = psutil.cpu_times()
    idle = times.idle + sum(getattr(times, name, 0.0) for name in ("iowait", "guest", "guest_nice"))
    return float(sum(times) - idle)


def _written(process: psutil.Process) -> int:
    try:
        return int(process.io_counters().write_bytes)
    except (psutil.Error, AttributeError):
        return 0


def run(
    command: Sequence[str], *, folder: Path, environ: Mapping[str, str], server: int, limit: float, log: Path
) -> Seen:
    """Run a program in a fresh process and watch it; its own children end with it.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        environ: Variables besides those of this process.
        server: The process of its lakeFS.
        limit: Seconds after which it is stopped.
        log: The folder of its output.
    """
    seen = Seen()
    with (log / "out.txt").open("w+b") as out, (log / "errors.txt").open("w+b") as errors:
        start, busy = time.perf_counter(), _busy()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdout=out,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        watch = _Watch(process.pid, psutil.Process(server), seen)
        thread = threading.Thread(target=watch.loop, daemon=True)
        thread.start()
        timer = threading.Timer(limit, lambda: _stop(process.pid, seen))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seen.wall = time.perf_counter() - start
        process.returncode = seen.code = os.waitstatus_to_exitcode(status)
        timer.cancel()
        watch.done.set()
        thread.join()
        watch.close(usage.ru_utime + usage.ru_stime)
        seen.others = max(0.0, _busy() - busy - seen.cpu)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a JVM that outlives its driver
        for file, name in ((out, "out"), (errors, "errors")):
            file.seek(0)
            setattr(seen, name, file.read().decode(errors="replace"))
    return seen


def _stop(pid: int, seen: Seen) -> None:
    seen.timed_out = True
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
