"""Up to which commit of main everything was found right: the next reconciliation looks at what came since.

A cache in the home, trusted for a day: then everything is looked at again, because a tag or a copy may have
been deleted without a commit.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from lake.lakefs.repository import MAIN
from lake.session import Session
from lakegate.atomic import write_atomically
from lakegate.names import VersionName

TRUSTED: Final = 86_400
"""Seconds."""
MOST: Final = 2_000
"""Commits of main that are read; a reconciliation further behind looks at everything."""


@dataclass(frozen=True)
class Published:
    """A version that a commit of main published, and what caused it."""

    name: VersionName
    cause: str

    @property
    def dataset(self) -> str:
        """The dataset or feature table that its record belongs to."""
        return self.name.table.removesuffix("_raw")


@dataclass(frozen=True)
class Position:
    """A commit of main, and when everything up to it was looked at, in seconds since 1970."""

    commit: str
    at: float


def read_position(session: Session) -> Position | None:
    """The last one; None where there is none that can be trusted."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        body = json.loads(_file(session).read_bytes())
        found = Position(str(body["commit"]), float(body["at"]))
        if 0 <= time.time() - found.at < TRUSTED:
            return found
    return None


def write_position(session: Session, position: Position) -> None:
    """Write it; where the home can't be written, the next reconciliation looks at everything."""
    with contextlib.suppress(OSError):
        write_atomically(_file(session), json.dumps({"commit": position.commit, "at": position.at}))


def published_since(session: Session, position: Position) -> list[Published] | None:
    """What main published since, oldest first; None where that commit is unknown to main, or too far back."""
    found = list[Published]()
    for commit, metadata in islice(session.repository.history(MAIN), MOST + 1):
        if commit == position.commit:
            return found[::-1]
        if "lakegate_version" in metadata:
            name = VersionName.parse(metadata["lakegate_version"])
            found.append(Published(name, metadata.get("lakegate_cause", "")))
    return None


def _file(session: Session) -> Path:
    return session.settings.home.cache / f"mended-{session.settings.tenant}.json"
