"""The deliveries of a run on this disk, and what they parsed to, so that no hop fetches or parses one again.

It is only a cache: a hop fetches what is missing here from raw, and parses it again. Nothing outlives the
run.
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
"""Bytes on disk; above, the least recently used deliveries are released."""
MOST: Final = 48
"""Deliveries, too: each holds its folder's lock open, and what it parsed to in memory."""


@dataclass
class _Delivery:
    folder: Path
    stack: contextlib.ExitStack
    delivered: Path | None = None
    copy: tuple[int, ...] | None = None
    """Which file the delivery was copied into, and when that was written."""
    parsed: dict[FileFormat, Future[Parsed]] = field(default_factory=dict)
    size: int = 0
    """Bytes in the folder when it was last measured."""

    def measure(self) -> None:
        self.size = 0
        for item in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a parser deletes files meanwhile
                self.size += item.stat().st_size if item.is_file() else 0

    def close(self) -> None:
        for parsing in self.parsed.values():
            if not parsing.cancel():
                parsing.exception()  # waits for its end; its error was raised where the result was requested
        self.stack.close()


class DeliveryCache:
    """Delivered files by their SHA-256, each in a scratch folder of its own, while a caller is `caching`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._deliveries: OrderedDict[str, _Delivery] = OrderedDict()
        self._users = 0
        self.claims = True
        """Whether deliveries here count as `elsewhere` for other processes; in a dry run they don't."""
        self._ahead: ThreadPoolExecutor | None = None

    @classmethod
    def of(cls, session: Session) -> DeliveryCache:
        """An empty one."""
        return cls(session.settings)

    @contextlib.contextmanager
    def caching(self) -> Iterator[None]:
        """Hold deliveries until the outermost of these ends."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                for digest in list(self._deliveries):
                    self.release(digest)
                self.claims = True
                if self._ahead is not None:
                    self._ahead.shutdown()
                    self._ahead = None

    def keep(self, digest: str, copied: Path, name: str) -> Path:
        """Move the hashed copy of a drop's bytes into the cache; returns its new path.

        Outside of `caching` the copy stays where it is.
        """
        if not self._users:
            return copied
        held = self._open(digest)
        held.copy = _identity(copied)
        held.delivered = _place(held.folder / "delivered", name)
        shutil.move(copied, held.delivered)
        self._bound(held)
        return held.delivered

    def parse_ahead(self, digest: str, format: FileFormat) -> None:  # noqa: A002
        """Begin to parse a delivery in another thread; several at once would only wait for the disk."""
        if digest in self._deliveries and not any(held.parsed for held in self._deliveries.values()):
            if self._ahead is None:
                self._ahead = ThreadPoolExecutor(1, thread_name_prefix="parse")
            self._begin(digest, format, self._ahead)

    def delivered(self, digest: str) -> Path | None:
        """A drop's bytes under the name that they were delivered by, where they are cached."""
        held = self._deliveries.get(digest)
        return held.delivered if held else None

    def is_copy(self, digest: str, file: Path) -> bool:
        """Whether a file is the copy that was hashed, under another name (see `lake.lakefs.files`).

        Its inode, size and time of writing decide; `verify` finds a change that leaves those as they were.
        """
        held = self._deliveries.get(digest)
        return held is not None and held.copy is not None and held.copy == _identity(file)

    def elsewhere(self, digest: str) -> bool:
        """Whether another process of this home has the delivery cached, and so works on it."""
        return digest not in self._deliveries and in_use(self._settings, _name(digest, claims=True))

    def place(self, digest: str, name: str) -> Path:
        """Where to copy a drop's bytes to, before `keep`."""
        return _place(self._open(digest).folder / "fetched", name)

    def parsed(self, digest: str, format: FileFormat) -> Parsed:  # noqa: A002
        """The parsed content of a cached delivery, read in one format.

        Raises:
            KeyError: Its bytes are not cached.
            DataRejected: They can't be unpacked, or aren't of that format.
        """
        held = self._deliveries[digest]
        self._deliveries.move_to_end(digest)
        if format not in held.parsed:
            with ThreadPoolExecutor(1) as here:
                self._begin(digest, format, here)
        try:
            found = held.parsed[format].result()
        except (DataRejected, ContractError):  # the same bytes would fail again
            raise
        except BaseException:
            del held.parsed[format]
            raise
        self._bound(held)
        return found

    def _begin(self, digest: str, format: FileFormat, pool: ThreadPoolExecutor) -> None:  # noqa: A002
        held = self._deliveries[digest]
        if held.delivered is None:
            raise KeyError(digest)
        folder = held.folder / f"format{len(held.parsed)}"
        held.parsed[format] = pool.submit(parse_file, held.delivered, format, folder, settings=self._settings)

    def release(self, digest: str) -> None:
        """Delete a delivery: no hop of this process needs its bytes any more."""
        if (held := self._deliveries.pop(digest, None)) is not None:
            held.close()

    def _open(self, digest: str) -> _Delivery:
        if digest not in self._deliveries:
            stack = contextlib.ExitStack()
            while len(self._deliveries) >= MOST:
                self.release(next(iter(self._deliveries)))
            folder = stack.enter_context(scratch(self._settings, _name(digest, claims=self.claims)))
            self._deliveries[digest] = _Delivery(folder, stack)
        self._deliveries.move_to_end(digest)
        return self._deliveries[digest]

    def _bound(self, changed: _Delivery) -> None:
        """Measure the one that changed, and release the oldest while all together are too large."""
        changed.measure()
        while sum(held.size for held in self._deliveries.values()) > LIMIT and len(self._deliveries) > 1:
            self.release(next(iter(self._deliveries)))


def parse_file(delivered: Path, format: FileFormat, folder: Path, *, settings: Settings) -> Parsed:  # noqa: A002
    """Unpack and parse a delivered file into a staging file, of the kind that the engine reads best.

    Args:
        delivered: The file, under its own name, which an error quotes.
        format: The format to read it in.
        folder: Where the staging file goes.
        settings: Say how large a file the engine takes as Arrow.
    """
    limit = arrow_limit(settings)
    unpacked = unpack(delivered, _place(folder / "unpacked", delivered.name), limit=format)
    into = folder / (f"staging{ARROW}" if unpacked.size <= limit else "staging.parquet")
    parsed = format_of(format).parse(unpacked.path, into=into)
    # Many short numbers take more room than their text.
    return replace(parsed, staging=parsed.staging and as_parquet(parsed.staging, over=limit))


def _name(digest: str, *, claims: bool) -> str:
    return f"{'drop' if claims else 'look'}-{digest[:12]}"


def _identity(file: Path) -> tuple[int, ...] | None:
    with contextlib.suppress(OSError):
        found = file.stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    return None


def _place(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
