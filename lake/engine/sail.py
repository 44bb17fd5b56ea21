"""Sail, in a process of its own: it has its owner's keys alone, and what it keeps of its queries goes when it is started anew.

In this process it would take the first keys that it sees for all, and a panic of its native code would be this process's end.
It answers this process alone (see lake/engine/sail_guard.py), and this process asks nobody else where it has died.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from lakegate.errors import LakegateError, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

SERVER: Final = Path(__file__).with_name("sail_server.py")
NO_DYNAMIC_FILTERS: Final = "datafusion.optimizer.enable_join_dynamic_filter_pushdown"
"""Sail 0.7.2 never ends a join whose probe side holds another, where all rows of the build side lie in one partition (one row will
do): the inner join's filter waits for every partition, and those without rows are never asked."""
OPEN_FIX: Final = (
    "it takes Linux 5.5 or later with seccomp's user notification, which a container's profile may forbid; LAKEGATE_ENGINE=spark needs "
    "none; where no other account can run anything on this machine, LAKEGATE_SAIL_GUARD=off starts it unguarded"
)
END: Final = 5.0
"""Seconds that the process has to end in."""


class Sail:
    """A running one. It ends with this value, or this process."""

    def __init__(self, settings: Mapping[str, str | None], *, guarded: bool = True) -> None:
        """Start it, with these in its environment; whether it did is found out by `connect`.

        Args:
            settings: Names and values; None takes a name out.
            guarded: Whether it keeps everybody else out; without, each account of the machine has what its owner has.
        """
        environ = {name: value for name, value in (os.environ | settings).items() if value is not None}
        # -P: modules of ours that lie beside the script are not taken for others of their names.
        command = [sys.executable, "-P", str(SERVER), *([] if guarded else ["--open"])]
        # A group of its own: Sail takes a terminal's Ctrl-C for its own, while its owner may go on.
        self._process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        self.close = weakref.finalize(self, _end, self._process)
        """End it."""
        self.close.atexit = False  # it sees this process's end by itself, which waits for nobody

    def connect(self) -> SparkSession:
        """A session of it; waits until it answers.

        Raises:
            LakegateError: It did not start.
        """
        from lake.engine.connect import open_on_loopback
        from lake.engine.sail_calls import OfTheLiving

        if not (port := self._port()):
            if (code := self._ended()) is None or code < 0:
                how = "hangs" if code is None else f"was ended by signal {-code}"
                raise Transient(f"Sail {how}", fix="run it again; see whether the machine runs out of memory")
            what = f"Sail did not start (it ended with {code})"
            raise LakegateError(what, fix="see what it said above; install pysail again where it lacks files")
        if not port.isdecimal():
            what = (
                f"Sail was not started: other accounts of this machine can't be kept out of it here ({port})"
            )
            raise LakegateError(what, fix=OPEN_FIX)
        first = f"SET {NO_DYNAMIC_FILTERS}=false"
        return open_on_loopback(port, OfTheLiving(self._process), first=first)

    def _port(self) -> str:
        """The port that it said; empty where it ended before."""
        return self._process.stdout.readline().strip().decode() if self._process.stdout else ""

    def _ended(self) -> int | None:
        """The code that it ends with; None where it takes too long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(END)
        return None

    def held(self) -> int:
        """Bytes of memory that it holds; 0 where it lives no more."""
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(self._process.pid).memory_info().rss)
        return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
