"""What was seen of versions when they were published, and what a version holds now."""

from __future__ import annotations

from dataclasses import dataclass, field

from lake.lakefs.repository import MAIN
from lake.session import Session
from lakegate import open_snapshot
from lakegate.names import VersionName


@dataclass(frozen=True)
class Standing:
    """A drop whose publish stands, and the rides that it brought."""

    drop: str
    rides: tuple[int, ...]


@dataclass
class Version:
    """What was seen of a version when it was published: it must be the same for good."""

    commit: str
    manifest: str
    rows: dict[int, float]
    standing: dict[str, Standing] = field(default_factory=dict)
    """Of the table of appended drops: those that stand, by file name."""


def history(session: Session) -> list[dict[str, str]]:
    """The metadata of each commit of main."""
    found = session.repository._api.refs_api.log_commits(session.repository.name, MAIN, amount=1000)
    return [dict(commit.metadata or {}) for commit in found.results]


def contents(session: Session, name: VersionName) -> dict[int, float]:
    table = open_snapshot(str(name), home=session.settings.home.root, tenant=session.settings.tenant).arrow()
    rows = zip(table["ride"].to_pylist(), table["fare"].to_pylist(), strict=True)
    found = {ride: round(fare, 2) for ride, fare in rows}
    assert len(found) == table.num_rows, name
    return found
