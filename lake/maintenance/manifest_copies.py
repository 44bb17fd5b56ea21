"""The home's copies of manifests, which a reader starts from: rebuild those that are missing or damaged."""

from __future__ import annotations

from collections.abc import Iterable

from lake import paths
from lake.lakefs.repository import MAIN
from lake.maintenance.known_versions import expired
from lake.session import Session
from lake.versions import publish
from lake.versions.home_copies import copy_manifest, has_copy, write_copy
from lakegate.names import VersionName


def rebuild_manifests(
    session: Session, names: Iterable[VersionName] | None = None, *, dry_run: bool = False
) -> int:
    """Copy the manifests whose copy is missing or damaged; returns how many.

    Args:
        session: The open lake.
        names: Of these versions; else of all, with the records of those that ended.
        dry_run: Only count them.
    """
    copied, repository, home = 0, session.repository, session.settings.home
    for name in names if names is not None else map(VersionName.from_tag, repository.tags("")):
        if name is None or has_copy(home, manifest := publish.manifest_at(repository, name.tag, name)):
            continue
        with session.lease(name.table):  # an attempt that published it just now has made the copy
            if not has_copy(home, manifest):
                copied += 1 if dry_run else copy_manifest(home, manifest)
    if names is None and not dry_run:
        for name in expired(repository):
            body = repository.get(MAIN, paths.expired(name.table, name.number)) or b""
            write_copy(home.expiry_copy(session.settings.tenant, name.table, name.number), body)
    return copied
