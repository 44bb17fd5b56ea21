"""The bodies of the assets: run one hop of a drop or a feature, then report it to Dagster, last of all.

A version is materialized, with its checks and its content hash as data version, from its manifest: an attempt
that finds the version of one that died reports the same. A blocked or held drop gives its failed checks and a
failure, and no materialization. A drop that waits gives an observation and no output: the run ends well, and
the asset's partition stays missing until the drop's turn has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dagster import AssetCheckResult, AssetExecutionContext, DataVersion, MaterializeResult

from assets import run_tags
from assets.events.checks import check_results, source_result
from assets.events.versions import version_checks, version_events, waiting_event
from assets.partitions import drop_of
from assets.reported_versions import unreported
from assets.resource import LakegateResource
from assets.step_failures import refuse, step_failures
from catalog.contract import Contract, Hop
from expectations.verdict import Verdict
from lake.hops.features import carry_features
from lake.hops.job import HopResult
from lake.hops.published import published_version
from lake.hops.raw import carry_raw
from lake.pipeline.ordering import carry_after_raw
from lake.session import Session
from lake.versions import publish
from lakegate.errors import Transient
from lakegate.media import line, message
from lakegate.names import VersionName

Output = MaterializeResult[Any] | AssetCheckResult


def carry_drop(
    context: AssetExecutionContext,
    lake: LakegateResource,
    contract: Contract,
    hop: Hop,
    families: Sequence[str],
) -> Iterator[Output]:
    """The body of a raw or processed asset: its partition's drop through that hop.

    Args:
        context: Dagster's, of the run.
        lake: The open lake of this process.
        contract: The dataset's.
        hop: raw or processed.
        families: Those of the rules that have a check.
    """
    with step_failures(context, lake):
        session = lake.session
        session.run, session.backfill = context.run_id, run_tags.BACKFILL in context.run.tags
        drop = drop_of(session, contract.name, context.partition_key)
        run_tags.claim(context, contract, **{run_tags.DROP: drop.sha256})
        try:
            result = (carry_raw if hop == "raw" else carry_after_raw)(session, contract, drop)
        except Transient:
            if hop == "raw":
                yield source_result(session.settings, contract)
            raise
        if hop == "raw":
            yield source_result(session.settings, contract)
        if result.version is not None and result.verdict is not Verdict.WAITING:
            yield _version(context, session, contract, VersionName.parse(result.version), families)
        elif result.verdict in (Verdict.WAITING, Verdict.UNCHANGED):
            _observe_waiting(context, result, partition=context.partition_key)
        else:
            yield from _refused(context, contract, result, families)


def carry_feature(
    context: AssetExecutionContext, lake: LakegateResource, contract: Contract, families: Sequence[str]
) -> Iterator[Output]:
    """The body of a feature's asset: every version that is missing, in order; the newest as the run's result.

    Args:
        context: Dagster's, of the run.
        lake: The open lake of this process.
        contract: The feature's.
        families: Those of the rules that have a check.
    """
    with step_failures(context, lake):
        session, table = lake.session, contract.name
        session.run, session.backfill = context.run_id, False
        run_tags.claim(context, contract)
        names = unreported(session, context.instance, table)
        refused = None
        for result in _missing(session, contract):
            if result.version is None:
                refused = result
            elif (name := VersionName.parse(result.version)) not in names:
                names.append(name)
        if not names and refused is None and (head := publish.head(session.repository, table)) is not None:
            names.append(VersionName(table, int(head["version"])))
        for name in names if refused else names[:-1]:
            session.report_step(table, "tell")
            for event in version_events(session, contract, published_version(session, name)):
                context.log_event(event)
        if refused is not None:
            yield from _refused(context, contract, refused, families)
        elif names:
            yield _version(context, session, contract, names[-1], families)
        else:
            reason = f"{table} needs a version of each of {', '.join(contract.inputs)}"
            waiting = HopResult("features", table, Verdict.WAITING, None, {}, [], reason)
            _observe_waiting(context, waiting, partition=None)


def _missing(session: Session, contract: Contract) -> Iterator[HopResult]:
    """Make a feature's missing versions, until none is missing or one is refused."""
    last = None
    while (result := carry_features(session, contract)) is not None:
        if result.version is not None and result.version == last:
            return
        yield result
        if result.version is None:
            return
        last = result.version


def _version(
    context: AssetExecutionContext,
    session: Session,
    contract: Contract,
    name: VersionName,
    families: Sequence[str],
) -> MaterializeResult[Any]:
    published = published_version(session, name)
    *triggers, version = version_events(session, contract, published)
    for trigger in triggers:
        context.log_event(trigger)
    result: MaterializeResult[Any] = MaterializeResult(
        asset_key=name.table,
        metadata=version.metadata,
        data_version=DataVersion(published.manifest.content_hash),
        check_results=version_checks(session, published, families),
    )
    session.report_step(name.table, "tell")
    return result


def _observe_waiting(context: AssetExecutionContext, result: HopResult, *, partition: str | None) -> None:
    context.log.info("%s: %s", line(result.verdict), message(result.reason))
    context.log_event(waiting_event(result, partition=partition))


def _refused(
    context: AssetExecutionContext, contract: Contract, result: HopResult, families: Sequence[str]
) -> Iterator[Output]:
    yield from check_results(result.table, families, result.rules, result.counts, only_judged=True)
    refuse(context, contract, result)
