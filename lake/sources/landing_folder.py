"""The landing folder: which of its files stand still, and what was seen of them before."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from lake.sources import Extract, Source
from lake.sources.archive_file import BLOCKED, DONE, put_away
from lake.sources.delivered_file import Delivery, Look, look_at

FORMAT: Final = 1
SETTLE_SECONDS: Final = 3.0
"""A file whose size and time are the same on two looks this far apart stands still."""

MOST_NOTED: Final = 200

HALF_WRITTEN: Final = (".tmp", ".part")
"""Endings by which senders mark a file that is not complete."""


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
        return json.dumps(
            {
                "format": FORMAT,
                "files": {name: asdict(look) for name, look in self.files.items()},
                "noted": self.noted,
            }
        )

    def once(self, remark: str) -> bool:
        """Whether a remark is new; it is remembered."""
        if remark in self.noted:
            return False
        self.noted = [*self.noted[-MOST_NOTED:], remark]
        return True


def dataset_folders(landing: Path) -> list[Path]:
    """The folders that files are delivered into."""
    return sorted(
        path
        for path in landing.iterdir()
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
    )


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


class LandingFolder(Source):
    """The folder `landing/<dataset>/`, which files are put into and leave when they are done with.

    It has no position: what lies there is still to be done. Each poll gives a file again until it is put
    away; its receipt is known by path, size, time and bytes, so it is received once all the same.
    """

    def __init__(self, folder: Path, memory: Memory) -> None:
        self.name, self.place, self.dataset = "", f"landing/{folder.name}/", folder.name
        self._folder, self._memory = folder, memory

    def poll(self, position: str) -> Iterator[Extract]:  # noqa: ARG002  (it has none)
        """The files that stand still, oldest first."""
        for delivery in settled(self._folder, self._memory, now=time.time()):
            yield Extract(delivery.dataset, delivery.path, delivery.id, drop=delivery.look.drop)

    def received(self, extract: Extract, drop: str) -> None:
        """Remember that a file's bytes are in raw: it need not be read again."""
        name = f"{self.dataset}/{extract.path.name}"
        self._memory.files[name] = replace(self._memory.files[name], drop=drop)

    def put_away(self, extract: Extract, drop: str, *, note: str | None = None) -> bool:
        """Move a file to `.done/`, or to `.blocked/` with a note beside it."""
        look = self._memory.files[f"{self.dataset}/{extract.path.name}"]
        delivery, into = Delivery(self.dataset, extract.path, look), DONE if note is None else BLOCKED
        return put_away(delivery, into, drop=drop, note=note) is not None


def landing_folders(landing: Path, memory: Memory, datasets: Iterable[str]) -> list[LandingFolder]:
    """The folders that files are delivered into; those of `datasets` are made where they are missing."""
    for name in datasets:
        (landing / name).mkdir(exist_ok=True)
    forget_gone(landing, memory)
    return [LandingFolder(folder, memory) for folder in dataset_folders(landing)]
