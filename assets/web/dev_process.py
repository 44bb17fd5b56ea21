"""The process that `lakegate dev` starts, and its end: on one signal, without a child left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psutil

from assets.web.services import UNTIL

GRACE: Final = 30.0
"""Seconds that Dagster's services may take to end in; a second signal ends them at once."""
LAST: Final = 5.0
"""Seconds that what is left may take after SIGTERM."""
LOOK: Final = 0.2
"""Seconds between two looks."""
ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_services(
    command: list[str], environ: Mapping[str, str], *, folder: Path, say: Callable[[str], None]
) -> int:
    """Run Dagster's services until they end or this process gets a signal to; returns their exit code.

    They are a session of their own: a terminal's Ctrl-C reaches this process alone, which passes it on once,
    and whatever is left of the session in the end is ended with it. The embedded lakeFS is none of it. Files
    and sockets that they make are their user's alone.
    """
    signalled: list[float] = []
    with tempfile.TemporaryDirectory(prefix="lakegate-") as private:
        process = subprocess.Popen(
            [*command, UNTIL],
            env={**os.environ, **environ, "TMPDIR": private},
            cwd=folder,
            stdin=subprocess.PIPE,
            start_new_session=True,
            umask=0o077,
        )

        def end(*_: object) -> None:
            if not signalled:
                say("stopping ...")
                process.send_signal(signal.SIGINT)
            signalled.append(time.monotonic())

        # `nohup` has SIGHUP ignored; a script's `&` SIGINT too, which people send it nevertheless.
        names = [
            name for name in ENDS if name is not signal.SIGHUP or signal.getsignal(name) != signal.SIG_IGN
        ]
        before = {name: signal.signal(name, end) for name in names}
        try:
            while process.poll() is None:
                if len(signalled) > 1 or (signalled and time.monotonic() > signalled[0] + GRACE):
                    break
                time.sleep(LOOK)
            _end_session(process.pid)
            code = process.wait()
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
    return max(code, 0) if signalled else abs(code)


def _end_session(session: int) -> None:
    left = [process for process in psutil.process_iter() if _session_of(process.pid) == session]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=LAST)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0
