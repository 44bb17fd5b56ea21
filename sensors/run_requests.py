"""What the sensors share: how they look, the attempts so far, and the request for another run.

The attempts decide only whether another run is of use; the truth about the data is in the lake.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets import run_tags
from assets.resource import LakegateResource
from catalog.contract import Contract
from lake.session import Session
from lakegate.errors import LakegateError
from lakegate.media import message

Look = Callable[[Session, SensorEvaluationContext], tuple[list[RunRequest], str | None]]
"""One look of a sensor: the runs that are missing, and its new cursor, if it has one."""

INTERVAL_SECONDS: Final = 5
MOST_FAILURES: Final = 3
"""Failed runs after which nothing more is tried until the contract or the file changes."""

FINAL: Final = frozenset({run_tags.BLOCKED, run_tags.HELD, "ContractError", "UsageError", "IntegrityError"})
"""Failures that the same run under the same contract would only repeat."""

ACCESS: Final = "AccessError"
"""The failure of a run whose keys were refused: it says nothing of the drop, so it doesn't count."""
LATER: Final = 300.0
"""Seconds after which another run is made then."""


@dataclass(frozen=True)
class Attempts:
    """The runs for one thing under one contract."""

    made: int
    running: bool
    """Whether a run is under way, or one was refused access so lately that another would be too."""
    failed: int
    last: str | None
    """How the newest run failed: its tag, empty for a killed one; None where it did not fail."""

    @property
    def blocked(self) -> bool:
        """Whether the gate refused or held the drop in the newest run."""
        return self.last in (run_tags.BLOCKED, run_tags.HELD)

    @property
    def spent(self) -> bool:
        """Whether another run would be of no use."""
        return self.last in FINAL or self.failed >= MOST_FAILURES

    def next_run(
        self, job: str, contract: Contract, what: str, tags: dict[str, str], *, partition: str | None = None
    ) -> RunRequest:
        """The request for one run more, before those of backfills.

        Args:
            job: Its name.
            contract: The one under which it runs.
            what: Names the delivery or cause in the run's key.
            tags: Those of its attempts, and more.
            partition: The drop's.
        """
        key = f"{contract.name}:{what}:{contract.hash[:12]}:{self.made + 1}"
        tags = tags | run_tags.BEFORE_BACKFILLS
        return RunRequest(run_key=key, job_name=job, partition_key=partition, tags=tags)


def lake_sensor(
    lake: LakegateResource, jobs: Mapping[str, Any], look: Look, *, name: str, description: str, idle: str
) -> SensorDefinition:
    """A sensor that looks at the lake every few seconds, and requests runs of these jobs.

    Args:
        lake: The open lake of this process.
        jobs: The jobs, by dataset or feature.
        look: What it does each time; an error skips the look, with the error's text.
        name: The sensor's name.
        description: The sensor's description in the UI.
        idle: What it says where no run is missing.
    """

    @sensor(
        name=name,
        jobs=list(jobs.values()),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=description,
    )
    def body(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        try:
            requests, cursor = look(lake.session, context)
        except LakegateError as error:
            return SkipReason(message(error))
        return SensorResult(run_requests=requests, cursor=cursor, skip_reason=None if requests else idle)

    return body


def attempts(instance: DagsterInstance, tags: dict[str, str]) -> Attempts:
    """The attempts whose runs carry all these tags."""
    records = instance.get_run_records(RunsFilter(tags=tags))  # newest first
    runs = [record.dagster_run for record in records]
    failures = [
        run.tags.get(run_tags.FAILURE, "") if run.status is DagsterRunStatus.FAILURE else None for run in runs
    ]
    last = failures[0] if failures else None
    failed = sum(failure not in (None, ACCESS) for failure in failures)
    running = any(run.status in run_tags.UNFINISHED for run in runs)
    refused_lately = last == ACCESS and time.time() - (records[0].end_time or 0) < LATER
    return Attempts(made=len(runs), running=running or refused_lately, failed=failed, last=last)
