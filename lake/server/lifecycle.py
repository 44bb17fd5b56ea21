"""The embedded lakeFS: a process per home on loopback, started on demand, replaced when it hangs or dies."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeGuard

from lake.server.health import api, check_external, is_healthy
from lake.server.port_owner import holds
from lake.server.startup_errors import leave_others, why_not_started
from lake.server.state_files import (
    ServerRecord,
    last_port,
    read_server,
    tail,
    write_config,
    write_keys,
    write_server,
)
from lakegate.errors import LakegateError, Transient
from lakegate.home import Endpoint, Home
from lakegate.settings import Settings

if TYPE_CHECKING:
    from filelock import AcquireReturnProxy, FileLock

STOP_TIMEOUT: Final = 10.0
"""Seconds that a server has to write its state down after SIGTERM; then it is killed, which loses nothing
either."""
LOCK_TIMEOUT: Final = 60.0
"""Seconds to wait for another process that starts or stops the same server."""
TRIES: Final = 4
"""Starts in a row, each on another port: someone else may take a free port before lakeFS does."""
LOST_PORT: Final = "address already in use"
"""What lakeFS writes when that happens."""


@dataclass(frozen=True)
class ServerStatus:
    """How the embedded server is: `hung` is a process that is there and doesn't pass its health check."""

    state: Literal["running", "stopped", "hung"]
    url: str | None = None
    pid: int | None = None
    version: str | None = None
    memory_bytes: int | None = None
    """Resident memory."""
    uptime: float | None = None
    """Seconds."""


def ensure_server(settings: Settings, *, say: Callable[[str], None]) -> Endpoint:
    """The lakeFS to use: the external one of the settings, else the home's own, started if it isn't healthy.

    Args:
        settings: Names the external lakeFS, or the home.
        say: Called with each thing that takes time, one line a call.

    Raises:
        Transient: The external lakeFS is away, or another process is busy with the embedded one for too long.
        IntegrityError: What the home has of its server is of another format, or incomplete.
        LakegateError: lakeFS can't be found or doesn't start; the text quotes its log.
    """
    if settings.lakefs is not None:
        return check_external(settings.lakefs)
    home = settings.home
    recorded = read_server(home)
    # No psutil, no lock and no lakeFS client on this path: it is taken by every command.
    is_this_homes = recorded is not None and recorded.home == str(home.root.resolve())
    if is_this_homes and _serves(recorded, home) and (endpoint := home.running_endpoint()):
        return endpoint
    from lake.server.install import find_lakefs

    home.prepare(say=say)
    binary = find_lakefs(settings, say=say)
    try:
        with _lock(home):
            return _adopted(home) or _started(home, binary, say=say)
    except OSError as error:
        what = f"the embedded lakeFS can't store its state there ({error.strerror or error})"
        fix = "make it writable and its disk less full, or use another home"
        raise LakegateError(what, where=str(home.lakefs), fix=fix) from error


def stop_server(home: Home) -> bool:
    """Stop the home's server and say whether there was one; afterwards the home can be copied or moved.

    Raises:
        Transient: Another process is busy with it for too long.
        IntegrityError: What the home has of its server is of another format.
        LakegateError: It is another user's, and lives on.
    """
    if not home.lakefs.is_dir():
        return False
    with paused(home) as ran:
        return ran


@contextlib.contextmanager
def paused(home: Home) -> Iterator[bool]:
    """The home's server is down until the end of this; any process that needs it waits, and starts it again.

    It gives whether there was one, and raises what `stop_server` does.
    """
    from lake.server.process import end, processes

    home.lakefs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(home):
        leave_others(home, running := processes(home))
        end(running, grace=STOP_TIMEOUT)
        home.server_file.unlink(missing_ok=True)
        yield bool(running)


def server_status(home: Home) -> ServerStatus:
    """How the home's embedded server is; starts nothing and waits for two seconds at most."""
    import psutil

    from lake.server.process import processes

    recorded = read_server(home)
    running = processes(home) if home.lakefs.is_dir() else []
    if not running:
        return ServerStatus("stopped")
    process = next((one for one in running if recorded and one.pid == recorded.pid), running[0])
    endpoint = home.running_endpoint()
    is_recorded = recorded is not None and process.pid == recorded.pid
    healthy = endpoint is not None and is_recorded and _serves(recorded, home)
    config = api(endpoint, "config") if healthy and endpoint else None
    try:
        memory, uptime = process.memory_info().rss, max(0.0, time.time() - process.create_time())
    except psutil.Error:
        return ServerStatus("stopped")
    return ServerStatus(
        "running" if healthy else "hung",
        url=endpoint.url if endpoint else None,
        pid=process.pid,
        version=((config or {}).get("version_config") or {}).get("version"),
        memory_bytes=memory,
        uptime=uptime,
    )


def _serves(recorded: ServerRecord | None, home: Home) -> TypeGuard[ServerRecord]:
    """Whether the server on record is this home's process, has its port, and is healthy."""
    return recorded is not None and holds(recorded, home.lakefs) and is_healthy(recorded.port)


def _lock(home: Home) -> AcquireReturnProxy[FileLock]:
    from filelock import FileLock, Timeout

    try:
        return FileLock(home.lakefs / "lock").acquire(timeout=LOCK_TIMEOUT)
    except Timeout as error:
        what = f"another process has been starting or stopping this home's lakeFS for {LOCK_TIMEOUT:.0f} s"
        fix = "try again; if it stays so, end that process"
        raise Transient(what, where=str(home.lakefs), fix=fix) from error


def _adopted(home: Home) -> Endpoint | None:
    """The server that another process started in the meantime, or that moved with its home while it ran."""
    from lake.server.process import processes

    recorded = read_server(home)
    running = {process.pid: process for process in processes(home)} if recorded else {}
    if recorded is None or recorded.pid not in running or not _serves(recorded, home):
        return None
    write_server(home, pid=recorded.pid, started=running[recorded.pid].create_time(), port=recorded.port)
    return home.running_endpoint()


def _started(home: Home, binary: Path, *, say: Callable[[str], None]) -> Endpoint:
    from lake.server.health import free_port
    from lake.server.process import comes_up, end, processes, spawn

    preferred = last_port(home)
    if leftover := processes(home):
        say(f"lakeFS (process {', '.join(str(one.pid) for one in leftover)}) doesn't answer: replacing it")
        end(leftover, grace=0)
    keys = write_keys(home)
    for _ in range(TRIES):
        # The port it had before, if it is free: an engine that holds its address goes on with the new one.
        port = free_port(preferred=preferred)
        log_from = write_config(home, keys, port=port)
        pid = spawn(home, binary)
        if comes_up(pid, port):
            endpoint = Endpoint(f"http://127.0.0.1:{port}", keys["key_id"], keys["secret"])
            return _recorded(home, endpoint, pid=pid, port=port, say=say)
        end(processes(home), grace=0)
        log = tail(home, log_from)
        if LOST_PORT not in log:
            raise why_not_started(home, log)
        preferred = None
    what = f"lakeFS lost the race for a free port {TRIES} times"
    raise Transient(what, where=str(home.lakefs / "lakefs.log"), fix="try again")


def _recorded(home: Home, endpoint: Endpoint, *, pid: int, port: int, say: Callable[[str], None]) -> Endpoint:
    import psutil

    from lake.server.process import end, processes

    if api(endpoint, "user") is None:
        end(processes(home), grace=STOP_TIMEOUT)
        what = "lakeFS started and doesn't accept this home's keys"
        fix = "keys.json and kv/ belong together: restore both from the same copy of the home"
        raise LakegateError(what, where=str(home.keys_file), fix=fix)
    write_server(home, pid=pid, started=psutil.Process(pid).create_time(), port=port)
    say(f"lakeFS runs at {endpoint.url} (process {pid})")
    return endpoint
