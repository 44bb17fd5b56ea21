"""Which versions stay, and why each does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from catalog.contract import Contract
from lakegate.manifest import Manifest
from lakegate.names import VersionName

GRACE: Final = timedelta(days=1)
"""Age under which no block is removed: an upload may be on its way."""


def versions_to_keep(
    manifests: Mapping[VersionName, Manifest],
    contracts: Mapping[str, Contract],
    wanted: Mapping[VersionName, str],
    *,
    now: datetime,
) -> dict[VersionName, str]:
    """The versions that stay, each with the reason.

    They are the `wanted` ones, what a contract keeps, each table's latest, all of raw, those that a feature
    table has yet to be made from, what was a reference's latest less than a day ago (a drop may be judged
    against it at this moment), and the parents of all these.

    Args:
        manifests: Of all versions that didn't end.
        contracts: By name.
        wanted: Versions that are kept by a record, each with its reason.
        now: The present.
    """
    latest = {name.table: name for name in sorted(manifests)}
    read = _read_up_to(manifests, contracts, latest)
    references = {table for contract in contracts.values() for table in contract.references}
    kept = dict[VersionName, str]()
    for name, manifest in manifests.items():
        if (why := wanted.get(name) or _why_kept(name, manifest, contracts, latest, now)) is not None:
            kept[name] = why
        elif name.number > read.get(name.table, name.number):
            kept[name] = "a feature table has yet to be made from it"
        elif name.table in references and _was_latest(name, manifests, since=now - GRACE):
            kept[name] = "a reference that was the latest less than a day ago"
    todo = list(kept)
    while todo:
        child = todo.pop()
        for parent in manifests[child].parents:
            if parent.name in manifests and parent.name not in kept:
                kept[parent.name] = f"a version of {child.table} that stays was made from it"
                todo.append(parent.name)
    return kept


def by_reason(kept: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Table, versions (`v1, v3-v12`) and the reason that these share, by table and first version.

    Args:
        kept: By the versions' names, why they stay.
    """
    groups = dict[tuple[str, str], list[int]]()
    for name in sorted(map(VersionName.parse, kept)):
        groups.setdefault((name.table, kept[str(name)]), []).append(name.number)
    for (table, why), numbers in groups.items():
        yield table, _ranges(numbers), why


def _ranges(numbers: list[int]) -> str:
    runs = list[list[int]]()
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"v{run[0]}" if len(run) == 1 else f"v{run[0]}-v{run[-1]}" for run in runs)


def _read_up_to(
    manifests: Mapping[VersionName, Manifest],
    contracts: Mapping[str, Contract],
    latest: Mapping[str, VersionName],
) -> dict[str, int]:
    """The newest version of each table that all features reading it have seen; 0 where one has no version."""
    read: dict[str, int] = {}
    for contract in contracts.values():
        made = manifests[latest[contract.name]].parents if contract.name in latest else []
        seen = {parent.table: parent.version for parent in made}
        for table in contract.inputs:
            read[table] = min(read.get(table, seen.get(table, 0)), seen.get(table, 0))
    return read


def _was_latest(name: VersionName, manifests: Mapping[VersionName, Manifest], *, since: datetime) -> bool:
    """Whether a version was its table's latest at some time since then."""
    after = manifests.get(VersionName(name.table, name.number + 1))
    return after is not None and datetime.fromisoformat(after.created_at) > since


def _why_kept(
    name: VersionName,
    manifest: Manifest,
    contracts: Mapping[str, Contract],
    latest: Mapping[str, VersionName],
    now: datetime,
) -> str | None:
    """Why its contract keeps a version, or that it is the latest; None where neither is so."""
    contract = contracts.get(name.table)
    if manifest.hop == "raw":
        return "every version of raw stays"
    if contract is None:
        return "the project has no contract of it that can be used, so nothing ends it"
    if contract.retention is None:
        return "its contract names no retention"
    versions, days = contract.retention.versions, contract.retention.days
    if versions is not None and name.number > latest[name.table].number - versions:
        return f"retention: among the newest {versions}"
    if days is not None and datetime.fromisoformat(manifest.created_at) > now - timedelta(days=days):
        return f"retention: younger than {days} days"
    return "the latest" if name == latest[name.table] else None
