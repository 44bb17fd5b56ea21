"""A file in a folder as it was looked at, and what tells its arrival from another."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Look:
    """What a file looked like, and since when it has looked so (seconds since 1970)."""

    size: int
    modified: int
    inode: int
    since: float
    drop: str | None = None
    """SHA-256 of its bytes, once they were received."""

    def same(self, other: Look) -> bool:
        """Whether nothing was written in between."""
        return (self.size, self.modified, self.inode) == (other.size, other.modified, other.inode)


@dataclass(frozen=True)
class Delivery:
    """A file that stands still in `landing/<dataset>/`."""

    dataset: str
    path: Path
    look: Look

    @property
    def id(self) -> str:
        """Tells this arrival from another of the same name: path, size and time, as a short hash."""
        identity = json.dumps([self.dataset, self.path.name, self.look.size, self.look.modified])
        return hashlib.sha256(identity.encode()).hexdigest()[:16]

    def untouched(self) -> bool:
        """Whether the file is still the one that was looked at."""
        found = look_at(self.path, now=0.0)
        return found is not None and found.same(self.look)


def look_at(path: Path, *, now: float) -> Look | None:
    """The look of a regular file; None for links, folders and what is gone."""
    try:
        info = path.lstat()
    except OSError:
        return None
    return Look(info.st_size, info.st_mtime_ns, info.st_ino, now) if stat.S_ISREG(info.st_mode) else None
