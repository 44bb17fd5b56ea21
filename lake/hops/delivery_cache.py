"""Drops that a run has at hand: delivered bytes and what they parsed to, kept from hop to hop so that neither is done twice.

A cache and nothing more: what is missing here is fetched from raw, and parsed, again. Nothing of it outlives the run.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from catalog.contract import FileFormat
from lake.engine.engine import arrow_limit
from lake.parsing.decompress import unpack
from lake.parsing.formats import format_of
from lake.parsing.parsed import Parsed
from lake.parsing.staging_file import ARROW, as_parquet
from lake.runtime.scratch import in_use, scratch
from lake.session import Session
from lakegate.errors import ContractError, DataRejected
from lakegate.settings import Settings

LIMIT: Final = 4 * 1024**3
"""Bytes on disk over which the drops that were used longest ago are given up."""
MOST: Final = 48
"""Drops over which they are too: each holds its folder's lock open, and what it parsed to in memory."""


@dataclass
class _Kept:
    folder: Path
    stack: contextlib.ExitStack
    delivered: Path | None = None
    copy: tuple[int, ...] | None = None
    """Which file the delivery was copied into, and when that was written."""
    parsed: dict[FileFormat, Future[Parsed]] = field(default_factory=dict)
    size: int = 0
    """Bytes in the folder when it was last looked into."""

    def measure(self) -> None:
        total = 0
        for item in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # what is parsed meanwhile takes files away
                total += item.stat().st_size if item.is_file() else 0
        self.size = total

    def close(self) -> None:
        for parsing in self.parsed.values():
            if not parsing.cancel():
                parsing.exception()  # waits for its end; whoever asked for it was told
        self.stack.close()


class DeliveryCache:
    """Delivered files by their SHA-256, each in a scratch folder of its own, while somebody has them `caching`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._users = 0
        self.carried = True
        """Whether drops at hand count as `elsewhere` for others; a dry run only looks at its own."""
        self._ahead: ThreadPoolExecutor | None = None

    @classmethod
    def of(cls, session: Session) -> DeliveryCache:
        """Those of a session."""
        return cls(session.settings)

    @contextlib.contextmanager
    def caching(self) -> Iterator[None]:
        """What is kept within stays until the outermost one ends."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                for digest in list(self._kept):
                    self.release(digest)
                self.carried = True
                if self._ahead is not None:
                    self._ahead.shutdown()
                    self._ahead = None

    def keep(self, digest: str, copied: Path, name: str) -> Path:
        """Take a copy of a drop's bytes over, whose hash was taken, and say where it lies; outside of `caching` it is left alone."""
        if not self._users:
            return copied
        kept = self._open(digest)
        kept.copy = _mark(copied)
        kept.delivered = _place(kept.folder / "delivered", name)
        shutil.move(copied, kept.delivered)
        self._bound(kept)
        return kept.delivered

    def parse_ahead(self, digest: str, format: FileFormat) -> None:  # noqa: A002
        """Begin to parse a drop at hand beside what this thread does, if none is: more would only wait on disk, and be given up."""
        if digest in self._kept and not any(kept.parsed for kept in self._kept.values()):
            if self._ahead is None:
                self._ahead = ThreadPoolExecutor(1, thread_name_prefix="parse")
            self._begin(digest, format, self._ahead)

    def delivered(self, digest: str) -> Path | None:
        """A drop's bytes under the name that they were delivered by, where they are at hand."""
        kept = self._kept.get(digest)
        return kept.delivered if kept else None

    def is_copy(self, digest: str, file: Path) -> bool:
        """Whether a file is what the delivery was copied into as it was hashed, by another name (see `lake.lakefs.objects`).

        As its inode, size and time of writing tell it: whoever changes those as well is found by `verify`, and not here.
        """
        kept = self._kept.get(digest)
        return kept is not None and kept.copy is not None and kept.copy == _mark(file)

    def elsewhere(self, digest: str) -> bool:
        """Whether another process of this home has the drop at hand, and so carries it."""
        return digest not in self._kept and in_use(self._settings, _name(digest, carried=True))

    def place(self, digest: str, name: str) -> Path:
        """Where to copy a drop's bytes to, before `keep`."""
        return _place(self._open(digest).folder / "fetched", name)

    def parsed(self, digest: str, format: FileFormat) -> Parsed:  # noqa: A002
        """What a drop at hand holds, read in one format.

        Raises:
            KeyError: Its bytes are not at hand.
            DataRejected: They can't be unpacked, or aren't of that format.
        """
        kept = self._kept[digest]
        self._kept.move_to_end(digest)
        if format not in kept.parsed:
            with ThreadPoolExecutor(1) as here:
                self._begin(digest, format, here)
        try:
            found = kept.parsed[format].result()
        except (DataRejected, ContractError):  # what the bytes are, they stay
            raise
        except BaseException:
            del kept.parsed[format]
            raise
        self._bound(kept)
        return found

    def _begin(self, digest: str, format: FileFormat, pool: ThreadPoolExecutor) -> None:  # noqa: A002
        kept = self._kept[digest]
        if kept.delivered is None:
            raise KeyError(digest)
        folder = kept.folder / f"format{len(kept.parsed)}"
        kept.parsed[format] = pool.submit(parse_file, kept.delivered, format, folder, settings=self._settings)

    def release(self, digest: str) -> None:
        """Give a drop up: no hop of this process needs its bytes any more."""
        if (kept := self._kept.pop(digest, None)) is not None:
            kept.close()

    def _open(self, digest: str) -> _Kept:
        if digest not in self._kept:
            stack = contextlib.ExitStack()
            while len(self._kept) >= MOST:
                self.release(next(iter(self._kept)))
            name = _name(digest, carried=self.carried)
            self._kept[digest] = _Kept(stack.enter_context(scratch(self._settings, name)), stack)
        self._kept.move_to_end(digest)
        return self._kept[digest]

    def _bound(self, changed: _Kept) -> None:
        """Give up the oldest where all take too much room; of these one alone is other than when it was last looked into."""
        changed.measure()
        while sum(kept.size for kept in self._kept.values()) > LIMIT and len(self._kept) > 1:
            self.release(next(iter(self._kept)))


def parse_file(delivered: Path, format: FileFormat, folder: Path, *, settings: Settings) -> Parsed:  # noqa: A002
    """Unpack and parse a delivered file into a staging file in `folder`, of the kind that the engine reads best."""
    # Under its own name, which is what an error calls it.
    unpacked, limit = (
        unpack(delivered, _place(folder / "unpacked", delivered.name), limit=format),
        arrow_limit(settings),
    )
    into = folder / (f"staging{ARROW}" if unpacked.size <= limit else "staging.parquet")
    parsed = format_of(format).parse(unpacked.path, into=into)
    # Many short numbers take more room than their text.
    return replace(parsed, staging=parsed.staging and as_parquet(parsed.staging, over=limit))


def _name(digest: str, *, carried: bool) -> str:
    return f"{'drop' if carried else 'look'}-{digest[:12]}"


def _mark(file: Path) -> tuple[int, ...] | None:
    with contextlib.suppress(OSError):
        found = file.stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    return None


def _place(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
