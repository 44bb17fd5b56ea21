"""The sensor `follow_features`: when a feature table misses a version, or Dagster was not told of one, its asset is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets import run_tags
from assets.reported_versions import behind
from assets.resource import LakegateResource
from lake.session import Session
from lakegate.errors import LakegateError, unforeseen
from lakegate.media import line, message
from sensors.run_attempts import attempts

INTERVAL_SECONDS: Final = 5


def follow_features(lake: LakegateResource, jobs: Mapping[str, Any]) -> SensorDefinition:
    """The sensor over the feature tables.

    Args:
        lake: The open lake of this process.
        jobs: The job that makes a feature's missing versions, by feature.
    """

    @sensor(
        name="follow_features",
        jobs=list(jobs.values()),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Runs a feature's asset when an input of its SQL has a version that the feature was not made from.",
    )
    def body(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        try:
            session = lake.session
        except LakegateError as error:
            return SkipReason(message(error))
        requests = list(
            missing(
                session, context.instance, {name: job.name for name, job in jobs.items()}, log=context.log
            )
        )
        return SensorResult(
            run_requests=requests, skip_reason=None if requests else "No feature misses a version."
        )

    return body


def missing(
    session: Session, instance: DagsterInstance, jobs: Mapping[str, str], *, log: Any
) -> Iterator[RunRequest]:
    """The runs that features lack; one at a time for each, since a run makes every version that is missing."""
    for name, job in jobs.items():
        try:
            contract = session.catalog.get(name)
            if (cause := behind(session, instance, contract)) is None:
                continue
        except LakegateError as error:
            log.warning("%s: %s", line(name), message(error))
            continue
        except Exception as error:  # noqa: BLE001  (whatever it is, other features go on)
            log.warning("%s: %s", line(name), message(unforeseen(error)))
            continue
        if attempts(instance, {run_tags.DATASET: name}).running:
            continue
        tags = run_tags.tags_for(contract, **{run_tags.CAUSE: cause})
        tried = attempts(instance, tags)
        if not tried.spent:
            yield RunRequest(
                run_key=f"{name}:{cause}:{contract.hash[:12]}:{tried.made + 1}",
                job_name=job,
                tags=tags | run_tags.BEFORE_BACKFILLS,
            )
