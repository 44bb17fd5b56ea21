"""A landing folder: which of its files stand still, and what was seen of them before. Knows neither Dagster nor the lake."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

FORMAT: Final = 1
SETTLE_SECONDS: Final = 3.0
"""A file whose size and time are the same on two looks this far apart stands still."""

MOST_NOTED: Final = 200

HALF_WRITTEN: Final = (".tmp", ".part")
"""Endings by which senders mark a file that is not complete."""


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


@dataclass
class Memory:
    """What a sensor remembers from one look to the next. A cache: without it every file is looked at twice again."""

    files: dict[str, Look] = field(default_factory=dict)
    """By path below the landing folder."""
    noted: list[str] = field(default_factory=list)
    """What was said already and need not be said at every look."""

    @classmethod
    def from_text(cls, text: str | None) -> Memory:
        """Read a cursor; one that can't be read counts as none."""
        try:
            body = json.loads(text or "")
            if body["format"] != FORMAT:
                return cls()
            return cls({name: Look(**look) for name, look in body["files"].items()}, list(body["noted"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def to_text(self) -> str:
        """The cursor."""
        return json.dumps({"format": FORMAT, "files": {name: asdict(look) for name, look in self.files.items()}, "noted": self.noted})

    def once(self, remark: str) -> bool:
        """Whether a remark is new; it is remembered."""
        if remark in self.noted:
            return False
        self.noted = [*self.noted[-MOST_NOTED:], remark]
        return True


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


def dataset_folders(landing: Path) -> list[Path]:
    """The folders that files are delivered into."""
    return sorted(path for path in landing.iterdir() if path.is_dir() and not path.is_symlink() and not path.name.startswith("."))


def settled(folder: Path, memory: Memory, *, now: float) -> Iterator[Delivery]:
    """The files of a dataset's folder that stand still, oldest first; the others are remembered for the next look."""
    found: list[Delivery] = []
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name.lower().endswith(HALF_WRITTEN):
            continue
        if (look := look_at(path, now=now)) is None:
            continue
        name = f"{folder.name}/{path.name}"
        before = memory.files.get(name)
        if before is None or not before.same(look):
            memory.files[name] = look
        elif now - before.since >= SETTLE_SECONDS:
            found.append(Delivery(folder.name, path, before))
    yield from sorted(found, key=lambda item: (item.look.modified, item.path.name))


def forget_gone(landing: Path, memory: Memory) -> None:
    """Forget files that are no longer there."""
    for name in [name for name in memory.files if not (landing / name).exists()]:
        del memory.files[name]
