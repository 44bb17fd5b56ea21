"""The home's copies of manifests, which the reader starts from: put back from the lake where they are missing or damaged."""

from __future__ import annotations

from collections.abc import Iterable

from lake import paths
from lake.lakefs.repository import MAIN
from lake.maintenance.verify import expired
from lake.session import Session
from lake.versions import publish
from lake.versions.home_copies import copy_manifest, has_copy, write_copy
from lakegate.names import VersionName


def rebuild_manifests(
    session: Session, names: Iterable[VersionName] | None = None, *, dry_run: bool = False
) -> int:
    """Put the home's copies of manifests back where they are missing or damaged (`dry_run`: only count them); returns how many.

    Those of `names`; else of all versions, with the records of those that ended.
    """
    copied = 0
    for name in (
        names if names is not None else filter(None, map(VersionName.from_tag, session.repository.tags("")))
    ):
        manifest = publish.manifest_at(session.repository, name.tag, name)
        if has_copy(session.settings.home, manifest):
            continue
        with session.lease(name.table):  # whoever published it just now has made the copy
            if not has_copy(session.settings.home, manifest):
                copied += 1 if dry_run else copy_manifest(session.settings.home, manifest)
    for name in () if dry_run or names is not None else expired(session.repository):
        body = session.repository.get(MAIN, paths.expired(name.table, name.number)) or b""
        write_copy(session.settings.home.expiry_copy(session.settings.tenant, name.table, name.number), body)
    return copied
