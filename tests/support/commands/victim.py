"""A command line to which something happens at a named step.

A script, whose arguments are a plan in JSON and then the command line's own, or `begin` in a forked process.
The plan's keys, all but `timeline` together or not at all: `table`, `step`,
`occurrence` (the n-th time that it is reached), `does`: `kill` the run's process group; `kill-lakefs`,
the server alone; `kill-both`; `fill` the disk, for the run, or `fill-lakefs`, for the server;
or `stop` the run, until somebody lets it go on. `timeline` is a file that each step is written to as it is
reached: seconds since 1970, table, step. `calls` is a file that a point is added to for each request to
lakeFS's API, every try of it, and an x where it wasn't answered; `patience`:
the seconds after which it is given up. `called` is a file for the seconds since 1970 of the first request.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import pyspark.sql.connect.session
from lakefs_sdk import rest
from urllib3.exceptions import HTTPError

import assets.report
import cli.hop_run
import cli.ingest.ingest
import cli.notify
import lake.hops.evaluate
import lake.lakefs.client
import lake.listeners.registry
import lake.pipeline.ingest
import lake.server.process
import lake.session
import lake.tables.compaction
from cli.main import main as command_line
from tests.support.commands.shared_engines import keep_migrations
from tests.support.places import ROOT

LOADED = (
    assets.report,
    cli.hop_run,
    cli.ingest.ingest,
    cli.notify,
    lake.tables.compaction,
    lake.hops.evaluate,
    lake.pipeline.ingest,
    lake.server.process,
    pyspark.sql.connect.session,
)
"""What an ingest imports on its way: a process that is forked has them."""
keep_migrations()


def begin(
    plan: dict[str, Any], arguments: list[str], environ: dict[str, str], out: Connection, err: Connection
) -> None:
    """Become the leader of a process group with this environment and these ends of pipes,
    and carry the command out.
    """
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    for stream, end in ((1, out), (2, err)):
        os.dup2(end.fileno(), stream)
        end.close()
    try:
        carry_out(plan, arguments)
    finally:
        atexit._run_exitfuncs()


def carry_out(plan: dict[str, Any], arguments: list[str]) -> None:
    """Install the plan behind the session's watcher, then run the command line."""
    sys.argv = ["lakegate", *arguments]
    left = plan.get("occurrence", 0)
    honest = lake.session.open_session

    def opened(*args: Any, **kwargs: Any) -> lake.session.Session:
        session = honest(*args, **kwargs)
        show = session.watcher

        def watcher(table: str, step: str) -> None:
            nonlocal left
            if show is not None:
                show(table, step)
            if "timeline" in plan:
                with Path(plan["timeline"]).open("a") as file:
                    file.write(f"{time.time()} {table} {step}\n")
            if (table, step) != (plan.get("table"), plan.get("step")):
                return
            left -= 1
            if left == 0:
                happen(session, plan["does"])

        session.watcher = watcher
        return session

    lake.session.open_session = lake.listeners.registry.open_session = opened  # type: ignore[attr-defined]
    if "patience" in plan:
        lake.lakefs.client.CALL_SECONDS = plan["patience"]
    if "calls" in plan:
        count(Path(plan["calls"]))
    if "called" in plan:
        note_first(Path(plan["called"]))
    command_line()


def note_first(called: Path) -> None:
    """Write down when the first request is made."""
    honest = rest.RESTClientObject.request

    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not called.exists():
            called.write_text(str(time.time()))
        return honest(self, *args, **kwargs)

    rest.RESTClientObject.request = request


def count(calls: Path) -> None:
    """Add a point for each request, and an x where it wasn't answered."""
    honest = rest.RESTClientObject.request

    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        with calls.open("ab") as file:
            file.write(b".")
        try:
            return honest(self, *args, **kwargs)
        except HTTPError:
            with calls.open("ab") as file:
                file.write(b"x")
            raise

    rest.RESTClientObject.request = request


def happen(session: Any, does: str) -> None:
    """What the plan says."""
    if "lakefs" in does or "both" in does:
        server = int(json.loads(session.settings.home.server_file.read_text())["pid"])
        if does == "fill-lakefs":
            resource.prlimit(server, resource.RLIMIT_FSIZE, (0, 0))
        else:
            os.kill(server, signal.SIGKILL)
    if does == "fill":
        for process in (us := psutil.Process(), *us.children(recursive=True)):  # its engine's among them
            resource.prlimit(
                process.pid, resource.RLIMIT_FSIZE, (0, 0)
            )  # no file may grow any more, as on a full disk
    if does in ("kill", "kill-both"):
        os.killpg(0, signal.SIGKILL)
    if does == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    carry_out(json.loads(sys.argv[1]), sys.argv[2:])
