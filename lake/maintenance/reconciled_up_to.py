"""Up to which commit of main everything was found right: whoever looks again looks at what is new, not at all that ever was.

A cache in the home. It is trusted for a day, then everything is looked at again: a tag or copy that somebody took away is new at no commit.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lake.lakefs.repository import MAIN
from lake.session import Session
from lakegate.atomic import write_atomically
from lakegate.names import VersionName

TRUSTED: Final = 86_400
"""Seconds."""
MOST: Final = 2_000
"""Commits that are gone back; who is further behind looks at everything."""


@dataclass(frozen=True)
class Published:
    """A version that a commit of main published, and what caused it."""

    name: VersionName
    cause: str

    @property
    def dataset(self) -> str:
        """The dataset or feature table whose record tells of it."""
        return self.name.table.removesuffix("_raw")


@dataclass(frozen=True)
class Position:
    """A commit of main, and when everything up to it was looked at, in seconds since 1970."""

    commit: str
    at: float


def read_position(session: Session) -> Position | None:
    """The last one; None where there is none that can be trusted."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(_file(session).read_bytes())
        found = Position(str(told["commit"]), float(told["at"]))
        if 0 <= time.time() - found.at < TRUSTED:
            return found
    return None


def write_position(session: Session, position: Position) -> None:
    """Remember it; a home that can't be written is looked at whole again."""
    with contextlib.suppress(OSError):
        write_atomically(_file(session), json.dumps({"commit": position.commit, "at": position.at}))


def published_since(session: Session, position: Position) -> list[Published] | None:
    """What main published since, oldest first; None where it doesn't know that commit any more, or it is too far back."""
    found = list[Published]()
    for number, (commit, metadata) in enumerate(session.repository.history(MAIN)):
        if commit == position.commit:
            return found[::-1]
        if number >= MOST:
            break
        if "lakegate_version" in metadata:
            found.append(
                Published(VersionName.parse(metadata["lakegate_version"]), metadata.get("lakegate_cause", ""))
            )
    return None


def _file(session: Session) -> Path:
    return session.settings.home.cache / f"mended-{session.settings.tenant}.json"
