"""Upkeep by itself: `mend` mends what dead attempts left behind; `clean_up` ends old versions each night."""

# No `from __future__ import annotations` here: Dagster reads the context's annotation, and not as text.
from typing import Final

from dagster import (
    DefaultScheduleStatus,
    DefaultSensorStatus,
    OpExecutionContext,
    Output,
    ScheduleDefinition,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    in_process_executor,
    job,
    op,
    sensor,
)

from assets import resource, run_tags
from assets.resource import LakegateResource
from catalog.files import Catalog
from lake.maintenance.reconcile import mend as mend_lake
from lake.maintenance.retention import clean_up
from lakegate.errors import LakegateError
from lakegate.media import line, message

MEND_SECONDS: Final = 300
NIGHTLY: Final = "15 3 * * *"
"""UTC."""


def mend(lake: LakegateResource) -> SensorDefinition:
    """The sensor that reconciles what attempts that died left behind, and ends runs whose process is gone."""

    @sensor(
        name="mend",
        minimum_interval_seconds=MEND_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Mends what attempts that died left behind, where that is safe; the rest is in its log.",
    )
    def body(context: SensorEvaluationContext) -> SkipReason:
        dead = run_tags.end_dead_runs(context.instance)
        try:
            found = mend_lake(lake.session)
        except LakegateError as error:
            return SkipReason(message(error))
        for item in found:
            log = context.log.info if item.outcome == "mended" else context.log.warning
            log("%s: %s (%s: %s)", line(item.what), line(item.where), line(item.outcome), message(item.note))
        if not found and not dead:
            return SkipReason("Nothing was left behind.")
        mended = sum(item.outcome == "mended" for item in found) + dead
        return SkipReason(f"{mended} mended, {len(found) + dead - mended} left.")

    return body


def clean_up_nightly(catalog: Catalog) -> ScheduleDefinition:
    """The schedule of the clean-up; it runs where a contract says which versions it retains."""

    @op(name="end_versions", required_resource_keys={resource.NAME})
    def clean(context: OpExecutionContext) -> Output[None]:
        context.instance.add_run_tags(context.run_id, {run_tags.PROCESS: run_tags.this_process()})
        done = clean_up(getattr(context.resources, resource.NAME).session)
        expired = ", ".join(done.expired) or "nothing"
        metadata: dict[str, str | int] = {
            "expired": expired,
            "files freed": done.blocks,
            "bytes freed": done.freed,
        }
        return Output(None, metadata=metadata)

    @job(
        name="clean_up",
        executor_def=in_process_executor,
        description="Ends versions that are retained no longer, and frees their files.",
    )
    def nightly() -> None:
        clean()

    wanted = any(contract.retention for contract in catalog.contracts.values())
    status = DefaultScheduleStatus.RUNNING if wanted else DefaultScheduleStatus.STOPPED
    return ScheduleDefinition(
        name="clean_up_nightly",
        job=nightly,
        cron_schedule=NIGHTLY,
        execution_timezone="UTC",
        default_status=status,
    )
