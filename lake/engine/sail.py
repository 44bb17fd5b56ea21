"""Sail in a process of its own.

In our process Sail would use the first keys that it sees for everything, a panic of its native code would end
our process, and memory that its queries leak would stay. Only its owner can connect to it (see
lake/engine/sail_guard.py), and its owner connects to nothing else where it has died.
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
"""Sail 0.7.2 never ends a join whose probe side holds another, where all rows of the build side lie in one
partition (one row suffices): the inner join's filter waits for every partition, even an empty one."""
OPEN_FIX: Final = (
    "it takes Linux 5.5 or later with seccomp's user notification, which a container's profile may forbid; "
    "LAKEGATE_ENGINE=spark needs none; where no other account can run anything on this machine, "
    "LAKEGATE_SAIL_GUARD=off starts it unguarded"
)
END: Final = 5.0
"""Seconds that the process has to end in."""


class Sail:
    """A running Sail. It ends with this value, or this process."""

    def __init__(self, settings: Mapping[str, str | None], *, guarded: bool = True) -> None:
        """Start Sail; `connect` finds out whether it did start.

        Args:
            settings: Its environment variables; None removes a name.
            guarded: Whether it keeps other accounts out; unguarded, each account has its owner's rights.
        """
        environ = {name: value for name, value in (os.environ | settings).items() if value is not None}
        # -P: Python doesn't search the script's folder, where our modules would shadow others of their names.
        command = [sys.executable, "-P", str(SERVER), *([] if guarded else ["--open"])]
        # A group of its own: Sail takes a terminal's Ctrl-C for its own, while its owner may go on.
        self._process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        self.close = weakref.finalize(self, _end, self._process)
        """End Sail."""
        self.close.atexit = False  # Sail's process notices this process's end, which needn't wait for it

    def connect(self) -> SparkSession:
        """A session of it; waits until it responds.

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
            what = "Sail was not started: other accounts of this machine can't be excluded from it here"
            raise LakegateError(f"{what} ({port})", fix=OPEN_FIX)
        first = f"SET {NO_DYNAMIC_FILTERS}=false"
        return open_on_loopback(port, OfTheLiving(self._process), first=first)

    def _port(self) -> str:
        """The port that it printed, or why it has none; empty where it ended before."""
        return self._process.stdout.readline().strip().decode() if self._process.stdout else ""

    def _ended(self) -> int | None:
        """Its exit code; None where it takes too long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(END)
        return None

    def held(self) -> int:
        """Bytes of memory that it holds; 0 where it is dead."""
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
