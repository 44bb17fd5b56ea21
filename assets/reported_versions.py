"""What stands in the lake, and what Dagster was told of it: Dagster is told last, so it may lag behind."""

from __future__ import annotations

from typing import Final

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from assets.metadata import VERSION_NUMBER
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

DATA_VERSION = "dagster/data_version"
"""Dagster's tag of a materialization that carries its data version."""
RECENT: Final = 100
"""Materializations that are looked through for a version."""


def standing(session: Session, contract: Contract, drop: str, table: str) -> Published | None:
    """The version that a drop was published as, named and kept, while that publish stands.

    A replace table stands for its latest drop only: an older content that comes again is published again.
    """
    replaces = table == contract.name and contract.write_mode == "replace"
    name = published_as(session, dataset=contract.name, cause=drop, table=table, replaces=replaces)
    if name is None:
        return None
    found = recover(session.repository, name)
    if not _kept(session, found):
        return ensure_named(session, found)
    copy_manifest(session.settings.home, found.manifest)
    publish.delete_stale_candidates(session.repository, table=table, cause=drop)
    return found


def settled(
    session: Session, instance: DagsterInstance, contract: Contract, drop: str, partition: str
) -> list[Published] | None:
    """A drop's raw and processed versions, where both stand and Dagster was told of both."""
    found = []
    for table in (f"{contract.name}_raw", contract.name):
        published = standing(session, contract, drop, table)
        if published is None or not told(instance, table, partition, published.manifest.content_hash):
            return None
        found.append(published)
    return found


def _kept(session: Session, published: Published) -> bool:
    """Whether the retention branch, the last step of a publish, was made."""
    try:
        return session.repository.commit_of(published.name.keep_branch) == published.commit
    except NotThere:
        return False


def told(instance: DagsterInstance, table: str, partition: str, content_hash: str) -> bool:
    """Whether the newest materialization of a drop's partition has this data version."""
    wanted = AssetRecordsFilter(asset_key=AssetKey(table), asset_partitions=[partition])
    found = instance.fetch_materializations(wanted, limit=1).records
    newest = found[0].asset_materialization if found else None
    return newest is not None and (newest.tags or {}).get(DATA_VERSION) == content_hash


def told_version(instance: DagsterInstance, key: AssetKey, name: VersionName) -> bool:
    """Whether one of the newest materializations of an asset (a table, or its triggers) tells of a version."""
    found = instance.fetch_materializations(AssetRecordsFilter(asset_key=key), limit=RECENT).records
    events = [record.asset_materialization for record in found]
    return any(
        event is not None and "version" in event.metadata and event.metadata["version"].value == str(name)
        for event in events
    )


def told_number(instance: DagsterInstance, table: str) -> int:
    """The number of the version of a table that Dagster was told of last; 0 for none."""
    event = instance.get_latest_materialization_event(AssetKey(table))
    materialization = event.asset_materialization if event else None
    number = materialization.metadata.get(VERSION_NUMBER) if materialization else None
    return int(str(number.value)) if number is not None else 0


def untold(
    session: Session, instance: DagsterInstance, table: str, *, most: int | None = None
) -> list[VersionName]:
    """Versions of a table that stand in the lake, newer than the one that Dagster was told of last; oldest first, the `most` newest."""
    head = publish.head(session.repository, table)
    newest = int(head["version"]) if head else 0
    first = max(told_number(instance, table), newest - most if most is not None else 0) + 1
    names = (VersionName(table, number) for number in range(first, newest + 1))
    return [name for name in names if session.repository.get(MAIN, paths.expired(table, name.number)) is None]


def untold_decisions(session: Session, instance: DagsterInstance, table: str) -> list[VersionName]:
    """Those of a dataset that a person's decision made: no drop brings them up again. Of the newest only, if Dagster knows none."""
    names = untold(session, instance, table, most=RECENT)
    return [name for name in names if Origin.of(published_version(session, name).manifest.source).decided]


def behind(session: Session, instance: DagsterInstance, contract: Contract) -> str | None:
    """Why a feature's asset has work to do: the cause of its next version, or the version to be told of; None for none."""
    if (found := next_cause(session, contract)) is not None:
        return found[0]
    late = untold(session, instance, contract.name)
    return f"tell {late[0]}" if late else None
