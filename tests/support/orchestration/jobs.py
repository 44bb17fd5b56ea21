"""The code location's jobs, run in a test's own process as Dagster's daemon would have them run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dagster import DagsterInstance, Definitions, JobDefinition, RunRequest, in_process_executor

from assets import resource
from assets.factory import job_name, make_assets
from assets.partitions import partition_for
from assets.report import QUIET
from assets.resource import LakegateResource
from lake.hops.receive import receive
from lake.session import Session


class Jobs:
    """The jobs of a session's contracts, on that session.

    Args:
        session: The open lake.
        instance: Where the runs are recorded.
    """

    def __init__(self, session: Session, instance: DagsterInstance) -> None:
        self.session, self.instance = session, instance
        self.made = make_assets(session.catalog, session.settings.project)
        self.lake = LakegateResource(session.settings, session=session)
        self._definitions = Definitions(
            assets=self.made.assets,
            jobs=list(self.made.jobs.values()),
            resources={resource.NAME: self.lake},
            executor=in_process_executor,
        )

    def job(self, name: str) -> JobDefinition:
        """The job of that name, as the code location defines it."""
        return self._definitions.resolve_job_def(name)

    def run(self, name: str, *, partition: str | None = None, tags: Mapping[str, str] | None = None) -> bool:
        """Run a job; whether it ended well."""
        done = self.job(name).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            tags=dict(tags or {}),
            run_config=QUIET,
            raise_on_error=False,
        )
        return done.success

    def ask(self, request: RunRequest) -> bool:
        """Do what the daemon does with a sensor's request."""
        return self.run(str(request.job_name), partition=request.partition_key, tags=request.tags)

    def carry(self, dataset: str, path: Path) -> bool:
        """Receive a file and run its dataset's job on the drop."""
        return self.run(
            job_name(dataset), partition=partition_for(self.instance, receive(self.session, dataset, path))
        )
