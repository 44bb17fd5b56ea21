"""The sensor `follow_features`: it runs a feature's asset where the lake or Dagster misses a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import DagsterInstance, RunRequest, SensorDefinition, SensorEvaluationContext

from assets import run_tags
from assets.reported_versions import behind
from assets.resource import LakegateResource
from lake.session import Session
from lakegate.errors import LakegateError, unforeseen
from lakegate.media import line, message
from sensors.run_requests import attempts, lake_sensor


def follow_features(lake: LakegateResource, jobs: Mapping[str, Any]) -> SensorDefinition:
    """The sensor over the feature tables.

    Args:
        lake: The open lake of this process.
        jobs: The job that makes a feature's missing versions, by feature.
    """
    names = {name: job.name for name, job in jobs.items()}

    def look(session: Session, context: SensorEvaluationContext) -> tuple[list[RunRequest], None]:
        return list(_missing(session, context.instance, names, log=context.log)), None

    return lake_sensor(
        lake,
        jobs,
        look,
        name="follow_features",
        description="Runs a feature's asset when an input of its SQL has a version "
        "that the feature was not made from.",
        idle="No feature misses a version.",
    )


def _missing(
    session: Session, instance: DagsterInstance, jobs: Mapping[str, str], *, log: Any
) -> Iterator[RunRequest]:
    """The runs that features lack; one at a time for each, since a run makes every missing version."""
    for name, job in jobs.items():
        try:
            contract = session.catalog.get(name)
            cause = behind(session, instance, contract)
        except Exception as error:  # noqa: BLE001  (whatever it is, other features go on)
            known = error if isinstance(error, LakegateError) else unforeseen(error)
            log.warning("%s: %s", line(name), message(known))
            continue
        if cause is None or attempts(instance, {run_tags.DATASET: name}).running:
            continue
        tags = run_tags.tags_for(contract, **{run_tags.CAUSE: cause})
        tried = attempts(instance, tags)
        if not tried.spent:
            yield tried.next_run(job, contract, cause, tags)
