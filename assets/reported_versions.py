"""Which versions Dagster knows: they are reported to it last of all, so it may lag behind the lake."""

from __future__ import annotations

from typing import Final

from dagster import AssetKey, AssetMaterialization, AssetRecordsFilter, DagsterInstance

from assets.events.metadata import DATA_VERSION, VERSION_NUMBER
from catalog.contract import Contract
from lake import paths
from lake.hops.features import next_cause
from lake.hops.published import ensure_named, published_as, published_version
from lake.lakefs.repository import MAIN, NotThere
from lake.session import Session
from lake.versions import publish
from lake.versions.home_copies import copy_manifest
from lake.versions.origin import Origin
from lake.versions.publish import Published
from lake.versions.recover import recover
from lakegate.names import VersionName

RECENT: Final = 100
"""Materializations that are looked through for a version."""


def version_of_drop(session: Session, contract: Contract, drop: str, table: str) -> Published | None:
    """The version that a drop was published as, with the steps after its merge done; else None.

    A replace table has a version of its latest drop only: an older content that comes again is published
    again.
    """
    replaces = table == contract.name and contract.write_mode == "replace"
    name = published_as(session, dataset=contract.name, cause=drop, table=table, replaces=replaces)
    if name is None:
        return None
    found = recover(session.repository, name)
    if not _has_retention_branch(session, found):
        return ensure_named(session, found)
    copy_manifest(session.settings.home, found.manifest)
    publish.delete_stale_candidates(session.repository, table=table, cause=drop)
    return found


def _has_retention_branch(session: Session, published: Published) -> bool:
    """Whether the last step of a publish was done."""
    try:
        return session.repository.commit_of(published.name.keep_branch) == published.commit
    except NotThere:
        return False


def drop_is_reported(
    session: Session, instance: DagsterInstance, contract: Contract, drop: str, partition: str
) -> bool:
    """Whether Dagster knows a drop's raw and processed versions, or a later drop replaced it.

    Args:
        session: The open lake.
        instance: Dagster's.
        contract: The dataset's.
        drop: SHA-256 of the drop.
        partition: The drop's partition.
    """
    processed = version_of_drop(session, contract, drop, contract.name)
    if processed is None:
        return True
    raw = version_of_drop(session, contract, drop, f"{contract.name}_raw")
    if raw is None:
        return False
    return all(partition_is_reported(instance, version, partition) for version in (raw, processed))


def partition_is_reported(instance: DagsterInstance, published: Published, partition: str) -> bool:
    """Whether the newest materialization of a drop's partition has the data version of this version."""
    found = _materializations(instance, AssetKey(published.name.table), partition=partition, limit=1)
    return bool(found) and (found[0].tags or {}).get(DATA_VERSION) == published.manifest.content_hash


def version_is_reported(instance: DagsterInstance, key: AssetKey, name: VersionName) -> bool:
    """Whether one of the newest materializations of an asset (a table, or its triggers) is of a version."""
    found = _materializations(instance, key, limit=RECENT)
    return any(
        "version" in event.metadata and event.metadata["version"].value == str(name) for event in found
    )


def _materializations(
    instance: DagsterInstance, key: AssetKey, *, partition: str | None = None, limit: int
) -> list[AssetMaterialization]:
    """The newest materializations of an asset, the newest first."""
    wanted = AssetRecordsFilter(asset_key=key, asset_partitions=[partition] if partition else None)
    records = instance.fetch_materializations(wanted, limit=limit).records
    return [event for record in records if (event := record.asset_materialization) is not None]


def reported_number(instance: DagsterInstance, table: str) -> int:
    """The number of the version of a table that was reported last; 0 for none."""
    event = instance.get_latest_materialization_event(AssetKey(table))
    materialization = event.asset_materialization if event else None
    number = materialization.metadata.get(VERSION_NUMBER) if materialization else None
    return int(str(number.value)) if number is not None else 0


def unreported(
    session: Session, instance: DagsterInstance, table: str, *, most: int | None = None
) -> list[VersionName]:
    """Versions of a table newer than the one that was reported last, oldest first; expired ones are left out.

    Args:
        session: The open lake.
        instance: Dagster's.
        table: The table.
        most: At most so many of the newest.
    """
    head = publish.head(session.repository, table)
    newest = int(head["version"]) if head else 0
    first = max(reported_number(instance, table), newest - most if most is not None else 0) + 1
    names = (VersionName(table, number) for number in range(first, newest + 1))
    return [name for name in names if session.repository.get(MAIN, paths.expired(table, name.number)) is None]


def unreported_decisions(session: Session, instance: DagsterInstance, table: str) -> list[VersionName]:
    """Those of a dataset that a person's decision made: no drop brings them up again.

    Where Dagster knows no version, only the newest versions are looked through.
    """
    names = unreported(session, instance, table, most=RECENT)
    return [name for name in names if Origin.of(published_version(session, name).manifest.source).decided]


def behind(session: Session, instance: DagsterInstance, contract: Contract) -> str | None:
    """Why a feature's asset has to run: the cause of its next version, or a version to report; else None."""
    if (found := next_cause(session, contract)) is not None:
        return found[0]
    late = unreported(session, instance, contract.name)
    return f"tell {late[0]}" if late else None
