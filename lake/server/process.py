"""The server's process: found by what it is, not by what was written down of it; started detached; ended."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from pathlib import Path

import psutil

from lake.server.health import answers
from lake.server.state_files import MEMORY_LIMIT
from lakegate.home import Home

START_TIMEOUT = 20.0
"""Seconds until a starting server must answer; a quarter is usual, a disk that recovers after a kill needs more."""
KILL_TIMEOUT = 10.0
"""Seconds until a killed process is gone."""
POLL = 0.02
"""Seconds between two looks at a starting server."""
SHELL = 'umask 077; "$@" </dev/null >>"$0" 2>&1 & echo $!'
"""The shell in between leaves, so the server is nobody's child: no zombie when it dies, no parent's pipe held open."""


def processes(home: Home) -> list[psutil.Process]:
    """This home's servers: by working directory and command line, so a record that was lost or is stale misleads nobody."""
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

    The environment is made, not inherited: LAKEFS_* would override the file, credentials and proxies are none of its business.
    """
    folder = home.lakefs.resolve()
    command = [
        "/bin/sh",
        "-c",
        SHELL,
        str(folder / "lakefs.log"),
        str(binary.resolve()),
        "--config",
        str(folder / "config.yaml"),
        "run",
    ]
    env = {"HOME": str(folder), "TMPDIR": str(folder), "GOMEMLIMIT": MEMORY_LIMIT, "NO_PROXY": "*"}
    done = subprocess.run(
        command,
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
    """Whether that very process came to answer on that port; another that took the port first doesn't count."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            listens = any(
                one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN
                for one in process.net_connections("tcp4")
            )
        except psutil.NoSuchProcess:
            return False
        if listens and answers(port):
            return True
        time.sleep(POLL)
    return False


def end(running: list[psutil.Process], *, grace: float) -> None:
    """End processes found a moment ago: politely within `grace` seconds (a stopped one is woken for it), else by force."""
    for process in running:
        # psutil compares start times, so a process id that was given to someone else meanwhile isn't signalled.
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
