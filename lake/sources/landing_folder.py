"""The landing folder: files that people and programs put there, taken once nobody writes to them any more.

A file is whole when two polls found it unchanged. What earlier polls found is in the sensor's cursor
(`Memory`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from lake.sources import Extract, Source
from lake.sources.archive_file import BLOCKED, DONE, put_away
from lake.sources.file_state import FileState, read_state

FORMAT: Final = 1
UNCHANGED_SECONDS: Final = 3.0
"""A file whose size and time are the same at two polls this far apart is whole."""
MOST_NOTED: Final = 200
HALF_WRITTEN: Final = (".tmp", ".part")
"""Endings by which senders mark a file that is not complete."""


@dataclass
class Memory:
    """What a sensor remembers between polls. A cache: without it, files have to be found unchanged again."""

    files: dict[str, FileState] = field(default_factory=dict)
    """By path below the landing folder."""
    noted: list[str] = field(default_factory=list)
    """Remarks that were made and need not be made at every poll."""

    @classmethod
    def from_text(cls, text: str | None) -> Memory:
        """Read a cursor; one that can't be read counts as none."""
        try:
            body = json.loads(text or "")
            if body["format"] != FORMAT:
                return cls()
            files = {name: FileState(**state) for name, state in body["files"].items()}
            return cls(files, list(body["noted"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def to_text(self) -> str:
        """The cursor."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    def once(self, remark: str) -> bool:
        """Whether a remark is new; it is remembered."""
        if remark in self.noted:
            return False
        self.noted = [*self.noted[-MOST_NOTED:], remark]
        return True


def unchanged_files(folder: Path, memory: Memory, *, now: float) -> list[Extract]:
    """The files of a dataset's folder that are whole, oldest first; the state of the others is remembered."""
    found: list[tuple[int, Extract]] = []
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name.lower().endswith(HALF_WRITTEN):
            continue
        if (state := read_state(path, now=now)) is None:
            continue
        name = f"{folder.name}/{path.name}"
        before = memory.files.get(name)
        if before is None or not before.same(state):
            memory.files[name] = state
        elif now - before.since >= UNCHANGED_SECONDS:
            delivery = before.delivery_id(folder.name, path.name)
            found.append((before.modified, Extract(folder.name, path, delivery, drop=before.drop)))
    return [extract for _, extract in sorted(found, key=lambda item: (item[0], item[1].path.name))]


class LandingFolder(Source):
    """The folder `landing/<dataset>/`, which files are put into and leave when they are done with.

    It has no position: what lies there is still to be done. Each poll gives a file again until it is put
    away; its receipt is known by path, size, time and bytes, so it is received once all the same.
    """

    def __init__(self, folder: Path, memory: Memory) -> None:
        self.name, self.place, self.dataset = "", f"landing/{folder.name}/", folder.name
        self._folder, self._memory = folder, memory

    def poll(self, position: str) -> list[Extract]:  # noqa: ARG002  (it has none)
        """The files that are whole, oldest first."""
        return unchanged_files(self._folder, self._memory, now=time.time())

    def received(self, extract: Extract, drop: str) -> None:
        """Remember that a file's bytes are in raw: it need not be read again."""
        name = f"{self.dataset}/{extract.path.name}"
        self._memory.files[name] = replace(self._memory.files[name], drop=drop)

    def put_away(self, extract: Extract, drop: str, *, note: str | None = None) -> bool:
        """Move a file to `.done/`, or to `.blocked/` with a note beside it."""
        state = self._memory.files[f"{self.dataset}/{extract.path.name}"]
        into = DONE if note is None else BLOCKED
        return put_away(extract.path, state, into, drop=drop, note=note) is not None


def landing_folders(landing: Path, memory: Memory, datasets: Iterable[str]) -> list[LandingFolder]:
    """The folders that files are delivered into; those of `datasets` are made where they are missing."""
    for name in datasets:
        (landing / name).mkdir(exist_ok=True)
    memory.files = {name: state for name, state in memory.files.items() if (landing / name).exists()}
    folders = [path for path in sorted(landing.iterdir()) if path.is_dir() and not path.is_symlink()]
    return [LandingFolder(folder, memory) for folder in folders if not folder.name.startswith(".")]
