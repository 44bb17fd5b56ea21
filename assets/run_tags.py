"""What a run says about itself in its tags: its subject, the process that works on it, and how it failed."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Final

import psutil
from dagster import AssetExecutionContext, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from catalog.contract import Contract

DATASET: Final = "lakegate/dataset"
DROP: Final = "lakegate/drop"
CAUSE: Final = "lakegate/cause"
DELIVERY: Final = "lakegate/delivery"
CONTRACT: Final = "lakegate/contract"
PROCESS: Final = "lakegate/process"
PARTITION: Final = "dagster/partition"
REPORTED: Final = "lakegate/reported"
"""Tag of a run that only reports what a command did: the drop, or a feature's cause. Sensors don't count
it."""
FAILURE: Final = "lakegate/failure"
"""Tag of a failed run: `blocked`, or the kind of error. A run that was killed has none."""

BACKFILL: Final = "dagster/backfill"
"""Tag that Dagster gives the runs of a backfill."""
BEFORE_BACKFILLS: Final = {"dagster/priority": "1"}
"""Tags of a run for what has just come in; the others have priority 0."""

BLOCKED: Final = "blocked"
HELD: Final = "held"

UNFINISHED: Final = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)
_WORKING: Final = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)

START_SECONDS: Final = 300
"""After this long a run that no process has claimed is dead: its process died while it started."""


def tags_for(contract: Contract, **more: str) -> dict[str, str]:
    """Tags of a run that is requested or started here."""
    return {DATASET: contract.name, CONTRACT: contract.hash[:12], **more}


def claim(context: AssetExecutionContext, contract: Contract, **more: str) -> None:
    """Tag a run with its contract, the process that works on it, and more."""
    context.instance.add_run_tags(context.run_id, tags_for(contract, **more) | {PROCESS: this_process()})


def this_process() -> str:
    """Names this process; a later one with the same number has another name."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def end_dead_runs(instance: DagsterInstance) -> int:
    """Report runs as failed whose process is gone, so that they hold nothing up; returns how many."""
    ended = 0
    for record in instance.get_run_records(RunsFilter(statuses=list(_WORKING))):
        run, since = record.dagster_run, record.start_time or record.create_timestamp.timestamp()
        if _alive(run, since=since):
            continue
        what = "Its process ended without a word; the next run carries on from what is in the lake."
        instance.report_run_failed(run, what)
        with contextlib.suppress(NotImplementedError):
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        ended += 1
    return ended


def _alive(run: DagsterRun, *, since: float) -> bool:
    claimed = run.tags.get(PROCESS)
    if claimed is None:
        return time.time() - since < START_SECONDS
    host, pid, started = claimed.rsplit(":", 2)
    if host != socket.gethostname():
        return True  # another machine's; it can't be seen from here
    try:
        process = psutil.Process(int(pid))
        return f"{process.create_time():.0f}" == started and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
