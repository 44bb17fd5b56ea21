"""Find a version that was merged: whichever attempt died after its merge, the lake has it."""

from __future__ import annotations

import contextlib

from lake.lakefs.repository import NotThere, Repository
from lake.versions.publish import Published, find_merge, manifest_at
from lakegate.errors import IntegrityError
from lakegate.names import VersionName


def recover(repository: Repository, name: VersionName) -> Published:
    """A version that some attempt merged: its commit, by its tag or else main's log, and its manifest.

    Raises:
        IntegrityError: Main names a version that no merge commit published.
    """
    if (found := _tagged(repository, name) or find_merge(repository, name)) is None:
        what = f"main says that {name} was published, no merge commit does"
        raise IntegrityError(what, fix=f"`lakegate verify {name}`")
    return Published(name, found, manifest_at(repository, found, name))


def _tagged(repository: Repository, name: VersionName) -> str | None:
    with contextlib.suppress(NotThere):
        commit_id, metadata = repository.commit_and_metadata(name.tag)
        if metadata.get("lakegate_version") == str(name):
            return commit_id
    return None
