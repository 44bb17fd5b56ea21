"""The server's process: found by working directory and command line, not by its record; started and ended."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from pathlib import Path

import psutil

from lake.server.health import is_healthy
from lake.server.port_owner import listens
from lake.server.state_files import MEMORY_LIMIT
from lakegate.home import Home

START_TIMEOUT = 20.0
"""Seconds until a starting server must be healthy; a quarter is usual, a disk that recovers needs more."""
KILL_TIMEOUT = 10.0
"""Seconds until a killed process is gone."""
POLL = 0.02
"""Seconds between two looks at a starting server."""
SHELL = 'umask 077; "$@" </dev/null >>"$0" 2>&1 & echo $!'
"""The shell in between ends, so the server has no parent: no zombie when it dies, and no inherited pipe."""


def processes(home: Home) -> list[psutil.Process]:
    """This home's servers, whether they are on record or not."""
    folder, found = str(home.lakefs.resolve()), []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            ours = command[-1:] == ["run"] and "--config" in command and process.cwd() == folder
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def spawn(home: Home, binary: Path) -> int:
    """Start lakeFS detached and return its process id.

    It inherits no environment: LAKEFS_* would override the file, and it needs no credentials or proxies.
    """
    folder = home.lakefs.resolve()
    shell = ["/bin/sh", "-c", SHELL, str(folder / "lakefs.log")]
    lakefs = [str(binary.resolve()), "--config", str(folder / "config.yaml"), "run"]
    env = {"HOME": str(folder), "TMPDIR": str(folder), "GOMEMLIMIT": MEMORY_LIMIT, "NO_PROXY": "*"}
    done = subprocess.run(
        [*shell, *lakefs],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )
    return int(done.stdout)


def comes_up(pid: int, port: int) -> bool:
    """Whether that very process gets healthy on that port; another that took the port first doesn't count."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if listens(process, port) and is_healthy(port):
                return True
        except psutil.NoSuchProcess:
            return False
        time.sleep(POLL)
    return False


def end(running: list[psutil.Process], *, grace: float) -> None:
    """End processes: by SIGTERM within `grace` seconds (a stopped one is woken for it), else by SIGKILL."""
    for process in running:
        # psutil compares start times, so a process id that was given to someone else meanwhile isn't
        # signalled.
        with contextlib.suppress(psutil.NoSuchProcess):
            if grace:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
            else:
                process.kill()
    _, alive = psutil.wait_procs(running, timeout=grace or KILL_TIMEOUT)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=KILL_TIMEOUT)
