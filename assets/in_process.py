"""Dagster runs in this process: the same jobs as the code location's, against the home's instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dagster import DagsterInstance, Definitions, JobDefinition, in_process_executor

from assets import resource, runs
from assets.factory import job_name, make_assets
from assets.resource import LakegateResource
from catalog.contract import Contract
from lake.hops.job import HopResult
from lake.session import Session
from lakegate.errors import ContractError, LakegateError

QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own lines would break the progress display; the instance keeps them all."""


class InProcess:
    """Runs the jobs of a session's contracts, one run at a time, built once.

    Args:
        session: The open lake.
        instance: Where the runs are recorded.
    """

    def __init__(self, session: Session, instance: DagsterInstance) -> None:
        self.instance = instance
        self._hops: list[HopResult] = []
        self._errors: list[LakegateError] = []
        self._jobs: dict[str, JobDefinition] = {}
        made = make_assets(session.catalog, session.settings.project)
        self.errors: Mapping[str, ContractError] = made.errors
        lake = LakegateResource(session.settings, session=session, hear=self._hops.append, fail=self._errors.append)
        self._definitions = Definitions(
            assets=made.assets, jobs=list(made.jobs.values()), resources={resource.NAME: lake}, executor=in_process_executor
        )

    def run(self, contract: Contract, *, partition: str | None = None, drop: str = "") -> list[HopResult]:
        """Run a contract's job and return what became of each hop.

        Raises:
            LakegateError: The run failed for another reason than a gate's verdict.
        """
        job = self._jobs.get(contract.name)
        if job is None:
            job = self._jobs[contract.name] = self._definitions.resolve_job_def(job_name(contract.name))
        self._hops.clear()
        self._errors.clear()
        done = job.execute_in_process(
            instance=self.instance,
            partition_key=partition,
            tags=runs.tags_for(contract, **{runs.PROCESS: runs.this_process()}, **({runs.DROP: drop} if drop else {})),
            run_config=QUIET,
            raise_on_error=False,
        )
        if self._errors and not done.success:
            raise self._errors[-1]
        if not done.success and all(hop.version is not None for hop in self._hops):
            what = f"run {done.run_id[:8]} of {job_name(contract.name)} failed in Dagster"
            raise LakegateError(what, fix="`lakegate dev` shows the run")
        return list(self._hops)
