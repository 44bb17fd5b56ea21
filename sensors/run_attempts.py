"""What Dagster's runs tell of the attempts at one delivery or cause; the truth about the data is in the lake."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from assets import run_tags

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


def attempts(instance: DagsterInstance, tags: dict[str, str]) -> Attempts:
    """The attempts whose runs carry all these tags."""
    records = instance.get_run_records(RunsFilter(tags=tags))  # newest first
    found = [record.dagster_run for record in records]
    failed = [
        run
        for run in found
        if run.status is DagsterRunStatus.FAILURE and run.tags.get(run_tags.FAILURE) != ACCESS
    ]
    newest = found[0] if found else None
    last = (
        newest.tags.get(run_tags.FAILURE, "")
        if newest and newest.status is DagsterRunStatus.FAILURE
        else None
    )
    return Attempts(
        made=len(found),
        running=any(run.status in run_tags.UNFINISHED for run in found)
        or (last == ACCESS and time.time() - (records[0].end_time or 0) < LATER),
        failed=len(failed),
        last=last,
    )
