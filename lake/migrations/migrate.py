"""A home and its lake, brought to this release's format step by step; a step that was killed is run again.

The home says its format in `lakegate.json`, and from the first change on that of this release, so that an
earlier one refuses it. A repository says its own on the ledger's branch: a home has one for each tenant, and
several homes may share it on a lakeFS elsewhere.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lake import paths
from lake.lakefs.repository import Repository
from lake.migrations.rejected_drops import drop_markers, rename_records, rename_spooled
from lake.runtime.leases import lease_at, wait_for
from lakegate.errors import Conflict, IntegrityError, Transient
from lakegate.home import FORMAT, READABLE, Home

Step = Callable[[Home, Repository], int]
"""Changes what it finds, and returns how many records that were; it finds none where it was through."""


@dataclass(frozen=True)
class Migration:
    """What leads to a format: `change` says what it does, `steps` are run in their order."""

    to: int
    change: str
    steps: tuple[Step, ...]


MIGRATIONS: Final = (
    Migration(
        to=3,
        change="drops that a person rejected are `rejected`, no longer `discarded`",
        steps=(rename_spooled, drop_markers, rename_records),
    ),
)
"""In the order of their formats. The numbers 1 and 2 were a manifest's before they could be a home's."""


def migrate(home: Home, repository: Repository, *, lease: int, say: Callable[[str], None]) -> None:
    """Bring a home, and a tenant's repository, to this release's format, where they aren't in it.

    Args:
        home: The home folder.
        repository: The tenant's, with a branch for its ledger.
        lease: Seconds of silence after which a process that migrates the home counts as dead.
        say: Called with what was changed.

    Raises:
        IntegrityError: One of them is in a format that this release doesn't know.
    """
    if _format(home, repository) == FORMAT:
        return
    with wait_for(lease_at(home.locks / "migration.lease", seconds=lease)):
        found = _format(home, repository)  # another process may have been through with it
        if found == FORMAT:
            return
        if home.content_format() != FORMAT:
            home.write_format(migrating=home.content_format())
        for migration in MIGRATIONS:
            if migration.to > found and (done := sum([step(home, repository) for step in migration.steps])):
                say(f"from format {found} to {migration.to}: {migration.change} ({done:,} records)")
        repository.put(paths.LEDGER, paths.LEDGER_FORMAT, json.dumps({"format": FORMAT}).encode())
        # Uncommitted it is there and seen, too: the next commit takes it along.
        with contextlib.suppress(Conflict, IntegrityError, Transient):
            repository.commit(paths.LEDGER, f"ledger format {FORMAT}", {})
        if home.content_format() != FORMAT:
            home.write_format()


def _format(home: Home, repository: Repository) -> int:
    """The earlier format of the two. A repository that says none is in the first, or empty."""
    ledger = (repository.get_json(paths.LEDGER, paths.LEDGER_FORMAT) or {}).get("format", READABLE[0])
    if ledger not in READABLE:
        what = f"ledger format {ledger!r}, this release reads up to {FORMAT}"
        raise IntegrityError(what, where=repository.name, fix="use the release that wrote it, or a later one")
    return min(home.content_format(), int(ledger))
