"""Which versions there are: published, tagged or expired, as the tree of main and the tags name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lake import paths
from lake.lakefs.repository import MAIN, Repository
from lake.session import Session
from lake.versions import publish
from lakegate.names import VersionName


def heads(repository: Repository, ref: str) -> dict[str, int]:
    """The number of each table's latest version in the tree `ref`."""
    found = (repository.get_json(ref, item.path) or {} for item in repository.listing(ref, paths.HEADS))
    return {str(head["table"]): int(head["version"]) for head in found}


def versions_of(newest: Mapping[str, int]) -> set[VersionName]:
    """Every version up to these; one whose tag was deleted is among them."""
    return {VersionName(table, number) for table, last in newest.items() for number in range(1, last + 1)}


def published_names(session: Session, ref: str = MAIN) -> set[VersionName]:
    """Every version in the tree `ref` of main, and those that have a tag and are not on main."""
    newest = heads(session.repository, ref)
    return versions_of(newest) | only_tagged(session.repository, session.repository.tags(""), newest)


def only_tagged(
    repository: Repository, tags: Mapping[str, str], newest: Mapping[str, int]
) -> set[VersionName]:
    """The versions that have a tag and are not on main, not even since `newest` was read."""
    names = {
        name
        for name in map(VersionName.from_tag, tags)
        if name is not None and name.number > newest.get(name.table, 0)
    }
    since = {}
    for table in {name.table for name in names}:
        since[table] = int((publish.head(repository, table) or {}).get("version", 0))
    return {name for name in names if name.number > since[name.table]}


def expired(repository: Repository, ref: str = MAIN) -> dict[VersionName, dict[str, Any]]:
    """The versions that ended, each with its record: when, by whom and why. Their files need not be there."""
    found = {}
    for item in repository.listing(ref, paths.EXPIRED):
        body = repository.get_json(ref, item.path) or {}
        found[VersionName(str(body["table"]), int(body["version"]))] = body
    return found
