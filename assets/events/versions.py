"""Dagster's events of a version, the same whether a run of Dagster made the version or a command did."""

from __future__ import annotations

from collections.abc import Sequence

from dagster import AssetCheckResult, AssetMaterialization, AssetObservation

from assets.events.checks import check_results
from assets.events.metadata import DATA_VERSION, rules_before, version_metadata
from assets.events.triggers import trigger_event
from catalog.contract import Contract
from lake.hops.job import HopResult
from lake.session import Session
from lake.versions.publish import Published, manifest_counts
from lakegate.media import message


def version_events(
    session: Session, contract: Contract, published: Published, *, partition: str | None = None
) -> list[AssetMaterialization]:
    """The materialization of a version; before it that of its trigger, where the version raises one.

    A run that dies between the two raises the trigger again: twice is better than never.
    """
    tags = {DATA_VERSION: published.manifest.content_hash, f"{DATA_VERSION}_is_user_provided": "true"}
    version = AssetMaterialization(
        asset_key=published.name.table,
        partition=partition,
        metadata=version_metadata(session, contract, published),
        tags=tags,
    )
    trigger = trigger_event(published)
    return [version] if trigger is None else [trigger, version]


def version_checks(
    session: Session, published: Published, families: Sequence[str] | None = None
) -> list[AssetCheckResult]:
    """The checks of a version: of these families, or of those whose rules were judged."""
    manifest = published.manifest
    before = rules_before(session, published.name)
    counts = manifest_counts(manifest)
    return check_results(published.name.table, families, manifest.rules, counts, before=before)


def waiting_event(result: HopResult, *, partition: str | None = None) -> AssetObservation:
    """The observation of a drop that waits, or of a feature that misses an input."""
    metadata = {"verdict": str(result.verdict), "because": message(result.reason)}
    return AssetObservation(asset_key=result.table, partition=partition, metadata=metadata)
