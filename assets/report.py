"""What commands did, reported to Dagster as finished runs, last of all.

A run reports the drops of a dataset, or one drop that was refused, or the versions of a feature. It looks
like those of the code location's jobs: job, partition, materializations, checks, and why a drop was refused.
All that it says is read from the lake before it begins, so that it fails for no other reason halfway.
"""

# No `from __future__ import annotations` here: Dagster reads the context's annotation, and not as text.
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    DagsterInstance,
    OpExecutionContext,
    RunsFilter,
    in_process_executor,
    job,
    op,
)

from assets import run_tags
from assets.events.checks import check_results
from assets.events.versions import version_checks, version_events, waiting_event
from assets.factory import job_name
from assets.instance import open_instance
from assets.partitions import partition_for
from assets.reported_heads import ReportedHeads
from assets.reported_versions import (
    partition_is_reported,
    unreported,
    unreported_decisions,
    version_is_reported,
)
from assets.step_failures import refusal_kind, refuse
from catalog.contract import Contract
from expectations.verdict import STOPPED, Verdict
from lake.hops.job import HopResult
from lake.hops.published import published_version
from lake.ledger.receipts import received
from lake.pipeline.ingest import DropResult
from lake.session import Session
from lakegate.errors import Expired, LakegateError, UsageError
from lakegate.names import VersionName

Event = AssetCheckEvaluation | AssetMaterialization | AssetObservation

TOGETHER: Final = 64
"""Drops of one run."""

QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own lines would break the progress display; the instance keeps them all."""


@dataclass(frozen=True)
class Report:
    """What a run reports of one drop, feature or decision: its events, and the hop that refused it."""

    events: list[Event]
    cause: str
    partition: str | None
    refused: HopResult | None

    def tags(self, contract: Contract) -> dict[str, str]:
        """Tags by which a run about it is found again."""
        return run_tags.tags_for(contract) | ({run_tags.REPORTED: self.cause} if self.cause else {})


def report(session: Session, results: Iterable[DropResult]) -> None:
    """Report published versions, with their checks, and what refused or held drops, unless Dagster knows.

    Versions that an earlier command died before reporting are reported too, but for versions of drops: their
    drops bring them up again.
    """
    results = [result for result in results if result.dataset in session.catalog.contracts]
    features = {hop.table: hop for result in results for hop in result.hops if hop.hop == "features"}
    with open_instance(session.settings) as instance:
        run_tags.end_dead_runs(instance)
        heads = ReportedHeads(session, instance)
        for contract in session.catalog.datasets:
            # Found before anything is reported: what is unreported depends on the newest version that Dagster
            # knows.
            behind = heads.behind(contract.name)
            decisions = unreported_decisions(session, instance, contract.name) if behind else []
            mine = [result for result in results if result.dataset == contract.name]
            _report_dataset(session, instance, contract, mine, decisions)
        for contract in session.catalog.features:
            names = unreported(session, instance, contract.name) if heads.behind(contract.name) else []
            last = features.get(contract.name)
            _record(instance, contract, [_make_report(session, instance, contract, names, last=last)])
        heads.remember()


def _report_dataset(
    session: Session,
    instance: DagsterInstance,
    contract: Contract,
    results: Sequence[DropResult],
    decisions: Sequence[VersionName],
) -> None:
    """Report drops of a dataset at raw and processed, and decisions on its table; versions in their order.

    Those that nothing refused share a run: a run takes several times as long as what it reports.
    """
    reports: list[tuple[int, Report]] = []
    newest = 0
    for result in results:
        if not (hops := [hop for hop in result.hops if hop.hop != "features"]):
            continue
        names = [VersionName.parse(hop.version) for hop in hops if hop.version is not None]
        newest = max([newest, *(name.number for name in names if name.table == contract.name)])
        decisions = [name for name in decisions if name not in names]
        partition = _partition(session, instance, result)
        made = _make_report(session, instance, contract, names, last=hops[-1], partition=partition)
        reports.append((newest, made))
    reports += [(name.number, _make_report(session, instance, contract, [name])) for name in decisions]
    together: list[Report] = []
    for _, item in sorted(reports, key=lambda pair: pair[0]):
        if item.refused is not None:
            _record(instance, contract, [item])
        elif item.events:
            together.append(item)
    for first in range(0, len(together), TOGETHER):
        _record(instance, contract, together[first : first + TOGETHER])


def _partition(session: Session, instance: DagsterInstance, result: DropResult) -> str | None:
    """The partition of a drop; a decision, which nobody delivered, has none."""
    if not result.drop:
        return None
    try:
        return partition_for(instance, received(session, result.dataset, result.drop))
    except UsageError:
        return None


def _make_report(
    session: Session,
    instance: DagsterInstance,
    contract: Contract,
    names: Iterable[VersionName],
    *,
    last: HopResult | None = None,
    partition: str | None = None,
) -> Report:
    """What Dagster doesn't know yet of versions, and of a last hop that refused or held its drop."""
    events = [event for name in names for event in _version(session, instance, contract, name, partition)]
    if last is None:
        return Report(events, "", partition, None)
    made = Report(events, last.cause, partition, last if last.verdict in STOPPED else None)
    if made.refused is not None:
        tags = made.tags(contract) | {run_tags.FAILURE: refusal_kind(last)}
        if instance.get_runs(RunsFilter(tags=tags), limit=1):
            return replace(made, refused=None)  # a run of this drop under this contract said so already
        checks = check_results(last.table, None, last.rules, last.counts)
        events += _evaluations(last.table, checks, partition)
    elif last.verdict is Verdict.WAITING and events:
        events.append(waiting_event(last, partition=partition))
    return made


def _record(instance: DagsterInstance, contract: Contract, reports: Sequence[Report]) -> None:
    """A run of the contract's job that reports all this; none where there is nothing to report.

    Raises:
        LakegateError: Dagster didn't store all of it.
    """
    events = [event for item in reports for event in item.events]
    refused = next((item.refused for item in reports if item.refused is not None), None)
    if not events and refused is None:
        return
    tags = run_tags.tags_for(contract)
    if len(reports) == 1:
        tags = reports[0].tags(contract)
        if (partition := reports[0].partition) is not None:
            tags[run_tags.PARTITION] = partition
    tags[run_tags.PROCESS] = run_tags.this_process()
    stored = False

    @op(name="tell", out={})
    def tell(context: OpExecutionContext) -> Iterator[Event]:
        nonlocal stored
        yield from events
        stored = True
        if refused is not None:
            refuse(context, contract, refused)

    @job(name=job_name(contract.name), executor_def=in_process_executor)
    def reporting() -> None:
        tell()

    # A failure that is raised here would be one of the run, not of its step, and Dagster's daemon would try
    # it again.
    done = reporting.execute_in_process(instance=instance, tags=tags, run_config=QUIET, raise_on_error=False)
    if not stored:
        what = f"run {done.run_id[:8]} of {job_name(contract.name)} failed in Dagster"
        raise LakegateError(what, fix="`lakegate dev` shows the run")


def _version(
    session: Session, instance: DagsterInstance, contract: Contract, name: VersionName, partition: str | None
) -> Iterator[Event]:
    """The events of a version, unless Dagster knows it."""
    try:
        published = published_version(session, name)
    except Expired:  # nobody can read it any more
        return
    key = AssetKey(name.table)
    if partition is None:
        known = version_is_reported(instance, key, name)
    else:
        known = partition_is_reported(instance, published, partition)
    if known:
        return
    session.report_step(name.table, "tell")
    yield from _evaluations(name.table, version_checks(session, published), partition)
    for event in version_events(session, contract, published, partition=partition):
        if event.asset_key == key or not version_is_reported(instance, event.asset_key, name):
            yield event


def _evaluations(
    table: str, checks: Iterable[AssetCheckResult], partition: str | None
) -> list[AssetCheckEvaluation]:
    return [
        AssetCheckEvaluation(
            asset_key=AssetKey(table),
            check_name=str(check.check_name),
            passed=check.passed,
            metadata=check.metadata,
            severity=check.severity,
            description=check.description,
            partition=partition,
        )
        for check in checks
    ]
