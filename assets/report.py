"""Drops that were carried without a run of Dagster's (`lakegate ingest`): what became of them, reported to its instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster import AssetCheckEvaluation, AssetCheckKey, AssetKey, AssetMaterialization, DagsterInstance
from dagster._core.event_api import PartitionKeyFilter

from assets.checks import check_results
from assets.instance import open_instance
from assets.known import DATA_VERSION, told, told_version, untold, untold_decisions
from assets.metadata import rules_before, version_metadata
from assets.partitions import partition_for
from assets.reported import Reported
from assets.triggers import trigger_event
from catalog.contract import Contract
from lake.hops.published import published_version
from lake.ledger.receipts import received
from lake.pipeline.ingest import DropResult
from lake.session import Session
from lake.versions.publish import manifest_counts
from lakegate.names import VersionName


def report(session: Session, results: Iterable[DropResult]) -> None:
    """Tell Dagster of published versions, with their checks, and of the checks that refused a drop.

    So it does of those that an earlier command was cut off before telling, but for versions of drops, which their drops bring up again.
    What Dagster knows already is not told again. These events belong to no run.
    """
    with open_instance(session.settings) as instance:
        known = Reported(session, instance)
        for contract in (
            item for item in session.catalog.datasets if known.behind(item.name)
        ):  # before what is newer: which these are is told by the newest that Dagster knows
            for name in untold_decisions(session, instance, contract.name):
                _version(session, instance, contract, name, None)
        for result in results:
            _result(session, instance, result)
        for contract in (item for item in session.catalog.features if known.behind(item.name)):
            for name in untold(session, instance, contract.name):
                _version(session, instance, contract, name, None)
        known.told()


def _result(session: Session, instance: DagsterInstance, result: DropResult) -> None:
    """What became of a drop at raw and processed, or of a table that a person's decision changed."""
    contract = session.catalog.get(result.dataset)
    if contract.kind == "feature":
        return
    replayed = any(hop.hop == "processed" for hop in result.hops) and not any(hop.hop == "raw" for hop in result.hops)
    partition = None if replayed else partition_for(instance, received(session, result.dataset, result.drop))
    for hop in result.hops:
        if hop.hop == "features":
            continue
        if hop.version is not None:
            _version(session, instance, contract, VersionName.parse(hop.version), partition)
        elif hop.rules:
            _checks(instance, hop.table, hop.rules, hop.counts, partition)


def _version(session: Session, instance: DagsterInstance, contract: Contract, name: VersionName, partition: str | None) -> None:
    published = published_version(session, name)
    manifest = published.manifest
    if partition is not None and told(instance, name.table, partition, manifest.content_hash):
        return
    if partition is None and told_version(instance, AssetKey(name.table), name):
        return
    tags = {DATA_VERSION: manifest.content_hash, f"{DATA_VERSION}_is_user_provided": "true"}
    metadata = version_metadata(session, contract, published)
    _checks(instance, name.table, manifest.rules, manifest_counts(manifest), partition, before=rules_before(session, name))
    if (event := trigger_event(published)) is not None and not told_version(instance, event.asset_key, name):
        instance.report_runless_asset_event(event)
    instance.report_runless_asset_event(AssetMaterialization(asset_key=name.table, partition=partition, metadata=metadata, tags=tags))


def _reported_before(instance: DagsterInstance, table: str, check: str, partition: str | None) -> bool:
    """Whether this check of this drop was reported: Dagster takes an event without a run once per check and partition."""
    if partition is None:
        return False
    wanted = AssetCheckKey(AssetKey(table), check)
    history = instance.event_log_storage.get_asset_check_execution_history(
        check_key=wanted, limit=1000, partition_filter=PartitionKeyFilter(key=partition)
    )
    return any(record.event is not None and not record.run_id for record in history)


def _checks(
    instance: DagsterInstance,
    table: str,
    rules: list[dict[str, Any]],
    counts: dict[str, int],
    partition: str | None,
    *,
    before: Sequence[Mapping[str, Any]] = (),
) -> None:
    families = sorted({str(rule["family"]) for rule in rules})
    for check in check_results(table, families, rules, counts, before=before):
        if _reported_before(instance, table, str(check.check_name), partition):
            continue
        instance.report_runless_asset_event(
            AssetCheckEvaluation(
                asset_key=AssetKey(table),
                check_name=str(check.check_name),
                passed=check.passed,
                metadata=check.metadata,
                severity=check.severity,
                description=check.description,
                partition=partition,
            )
        )
