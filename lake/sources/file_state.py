"""The state of a file in a folder: by it a file is known that somebody still writes, or wrote again."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileState:
    """Size, time and inode of a file, and since when it has had them (seconds since 1970)."""

    size: int
    modified: int
    inode: int
    since: float
    drop: str | None = None
    """SHA-256 of its bytes, once they were received."""

    def same(self, other: FileState | None) -> bool:
        """Whether nothing was written in between."""
        mine = (self.size, self.modified, self.inode)
        return other is not None and mine == (other.size, other.modified, other.inode)

    def delivery_id(self, dataset: str, name: str) -> str:
        """A short hash of path, size and time, which differs for another file of the same name."""
        identity = json.dumps([dataset, name, self.size, self.modified])
        return hashlib.sha256(identity.encode()).hexdigest()[:16]


def read_state(path: Path, *, now: float = 0.0) -> FileState | None:
    """The state of a regular file; None for links, folders and what is gone."""
    try:
        info = path.lstat()
    except OSError:
        return None
    regular = stat.S_ISREG(info.st_mode)
    return FileState(info.st_size, info.st_mtime_ns, info.st_ino, now) if regular else None
