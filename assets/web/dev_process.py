"""The process that `lakegate dev` starts, and its end: whatever asks for it, once, and none of its children stays behind."""

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
    """Run Dagster's services until they end or this process is asked to; returns their exit code.

    They are a session of their own: a terminal's Ctrl-C reaches this process alone, which passes it on once, and whatever is left of the
    session in the end is ended with it. The embedded lakeFS is none of it. Files and sockets that they make are their user's alone.
    """
    asked: list[float] = []
    with tempfile.TemporaryDirectory(prefix="lakegate-") as private:
        process = subprocess.Popen(
            [*command, UNTIL],
            env={**os.environ, **environ, "TMPDIR": private},
            cwd=folder,
            stdin=subprocess.PIPE,
            start_new_session=True,
            umask=0o077,
        )

        def ask(*_: object) -> None:
            if not asked:
                say("stopping ...")
                process.send_signal(signal.SIGINT)
            asked.append(time.monotonic())

        # `nohup` has SIGHUP ignored; a script's `&` SIGINT too, which people send it nevertheless.
        heard = [
            name for name in ENDS if name is not signal.SIGHUP or signal.getsignal(name) is not signal.SIG_IGN
        ]
        before = {name: signal.signal(name, ask) for name in heard}
        try:
            while (
                process.poll() is None
                and len(asked) < 2  # noqa: PLR2004
                and not (asked and time.monotonic() > asked[0] + GRACE)
            ):
                time.sleep(LOOK)
            _end_session(process.pid)
            code = process.wait()
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
    return max(code, 0) if asked else abs(code)


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
