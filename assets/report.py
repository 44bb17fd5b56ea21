"""What commands did, reported to Dagster as finished runs: of the drops of a dataset, of each that was refused, and of a feature's versions.

A command carries drops without Dagster and tells it last. Its runs look like those of the code location's jobs: job, partition, materializations,
checks, and why a drop was refused. All that they say is read from the lake before a run begins, so that none fails halfway for another reason.
"""

# No `from __future__ import annotations` here: Dagster reads the context's annotation, and not as text.
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dagster import (
    AssetCheckEvaluation,
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
from assets.asset_bodies import refusal_kind, refuse, version_events, waiting_event
from assets.checks import check_results
from assets.factory import job_name
from assets.instance import open_instance
from assets.metadata import rules_before
from assets.partitions import partition_for
from assets.reported_heads import Reported
from assets.reported_versions import told, told_version, untold, untold_decisions
from catalog.contract import Contract
from expectations.verdict import STOPPED, Verdict
from lake.hops.job import HopResult
from lake.hops.published import published_version
from lake.ledger.receipts import received
from lake.pipeline.ingest import DropResult
from lake.session import Session
from lake.versions.publish import manifest_counts
from lakegate.errors import Expired, LakegateError, UsageError
from lakegate.names import VersionName

Event = AssetCheckEvaluation | AssetMaterialization | AssetObservation

TOGETHER: Final = 64
"""Drops of one run."""

QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own lines would break the progress display; the instance keeps them all."""


@dataclass(frozen=True)
class Told:
    """What a run tells of one drop, feature or decision: its events, and the hop that refused it, if any."""

    events: list[Event]
    cause: str
    partition: str | None
    refused: HopResult | None

    def tags(self, contract: Contract, *, with_failure: bool = True) -> dict[str, str]:
        """Tags by which a run about it is found again."""
        tags = run_tags.tags_for(contract) | ({run_tags.REPORTED: self.cause} if self.cause else {})
        return tags | (
            {run_tags.FAILURE: refusal_kind(self.refused)}
            if self.refused is not None and with_failure
            else {}
        )


def report(session: Session, results: Iterable[DropResult]) -> None:
    """Tell Dagster of published versions, with their checks, and of what refused or held a drop.

    So it does of those that an earlier command was cut off before telling, but for versions of drops, which their drops bring up again.
    What Dagster knows already is not told again.
    """
    results = [result for result in results if result.dataset in session.catalog.contracts]
    features = {hop.table: hop for result in results for hop in result.hops if hop.hop == "features"}
    with open_instance(session.settings) as instance:
        run_tags.end_dead_runs(instance)
        known = Reported(session, instance)
        for contract in session.catalog.datasets:
            mine = [result for result in results if result.dataset == contract.name]
            # Asked before anything is told: which these are is told by the newest version that Dagster knows.
            decisions = (
                untold_decisions(session, instance, contract.name) if known.behind(contract.name) else []
            )
            _dataset(session, instance, contract, mine, decisions)
        for contract in session.catalog.features:
            names = untold(session, instance, contract.name) if known.behind(contract.name) else []
            _record(
                instance,
                contract,
                [_told(session, instance, contract, names, last=features.get(contract.name))],
            )
        known.told()


def _dataset(
    session: Session,
    instance: DagsterInstance,
    contract: Contract,
    results: Sequence[DropResult],
    decisions: Sequence[VersionName],
) -> None:
    """What became of drops of a dataset at raw and processed, and what decisions made of its table; versions in their order.

    Those that nothing refused share a run: a run takes several times as long as what it tells.
    """
    tolds: list[tuple[int, Told]] = []
    newest = 0
    for result in results:
        if not (hops := [hop for hop in result.hops if hop.hop != "features"]):
            continue
        names = [VersionName.parse(hop.version) for hop in hops if hop.version is not None]
        newest = max([newest, *(name.number for name in names if name.table == contract.name)])
        decisions = [name for name in decisions if name not in names]
        partition = _partition(session, instance, result)
        tolds.append((newest, _told(session, instance, contract, names, last=hops[-1], partition=partition)))
    tolds += [(name.number, _told(session, instance, contract, [name])) for name in decisions]
    together: list[Told] = []
    for _, item in sorted(tolds, key=lambda pair: pair[0]):
        if item.refused is not None:
            _record(instance, contract, [item])
        elif item.events:
            together.append(item)
        if len(together) == TOGETHER:
            _record(instance, contract, together)
            together = []
    _record(instance, contract, together)


def _partition(session: Session, instance: DagsterInstance, result: DropResult) -> str | None:
    """The partition of a drop; a decision, which nobody delivered, has none."""
    if not result.drop:
        return None
    try:
        return partition_for(instance, received(session, result.dataset, result.drop))
    except UsageError:
        return None


def _told(
    session: Session,
    instance: DagsterInstance,
    contract: Contract,
    names: Iterable[VersionName],
    *,
    last: HopResult | None = None,
    partition: str | None = None,
) -> Told:
    """What is to be told of versions, and of a last hop that refused or held its drop; nothing where all was told."""
    events = [event for name in names for event in _version(session, instance, contract, name, partition)]
    refused = last if last is not None and last.verdict in STOPPED else None
    told = Told(events, last.cause if last is not None else "", partition, refused)
    if refused is not None and instance.get_runs(RunsFilter(tags=told.tags(contract)), limit=1):
        return replace(told, refused=None)  # which a run said already, of this drop under this contract
    if refused is not None:
        events += _checks(refused.table, refused.rules, refused.counts, partition)
    elif last is not None and last.verdict is Verdict.WAITING and events:
        events.append(waiting_event(last, partition=partition))
    return told


def _record(instance: DagsterInstance, contract: Contract, tolds: Sequence[Told]) -> None:
    """A run of the contract's job that tells all this; none where there is nothing to tell.

    Raises:
        LakegateError: Dagster didn't store all of it.
    """
    events = [event for told in tolds for event in told.events]
    refused = next((told.refused for told in tolds if told.refused is not None), None)
    if not events and refused is None:
        return
    alone = tolds[0].tags(contract, with_failure=False) if len(tolds) == 1 else run_tags.tags_for(contract)
    tags = alone | {run_tags.PROCESS: run_tags.this_process()}
    if len(tolds) == 1 and (partition := tolds[0].partition) is not None:
        tags |= {run_tags.PARTITION: partition}
    stored = False

    @op(name="tell", out={})
    def tell(context: OpExecutionContext) -> Iterator[Event]:
        nonlocal stored
        yield from events
        stored = True
        if refused is not None:
            refuse(context, contract, refused)

    @job(name=job_name(contract.name), executor_def=in_process_executor)
    def carried() -> None:
        tell()

    # A failure that is raised here would be one of the run, not of its step, and Dagster's daemon would try it again.
    done = carried.execute_in_process(instance=instance, tags=tags, run_config=QUIET, raise_on_error=False)
    if not stored:
        raise LakegateError(
            f"run {done.run_id[:8]} of {job_name(contract.name)} failed in Dagster",
            fix="`lakegate dev` shows the run",
        )


def _version(
    session: Session, instance: DagsterInstance, contract: Contract, name: VersionName, partition: str | None
) -> Iterator[Event]:
    """The events of a version, unless Dagster was told of it."""
    try:
        published = published_version(session, name)
    except Expired:  # what nobody can read any more nobody is told of
        return
    manifest, key = published.manifest, AssetKey(name.table)
    if (
        told_version(instance, key, name)
        if partition is None
        else told(instance, name.table, partition, manifest.content_hash)
    ):
        return
    session.report_step(name.table, "tell")
    yield from _checks(
        name.table, manifest.rules, manifest_counts(manifest), partition, before=rules_before(session, name)
    )
    for event in version_events(session, contract, published, partition=partition):
        if event.asset_key == key or not told_version(instance, event.asset_key, name):
            yield event


def _checks(
    table: str,
    rules: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    partition: str | None,
    *,
    before: Sequence[Mapping[str, Any]] = (),
) -> list[AssetCheckEvaluation]:
    families = sorted({str(rule["family"]) for rule in rules})
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
        for check in check_results(table, families, rules, counts, before=before)
    ]
