"""Files of a version whose bytes are returned only when they are proved.

The hashed bytes themselves are returned: a file that changes on the disk after it was hashed changes nothing
here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, cast

from lakegate.errors import IntegrityError
from lakegate.files import ranges
from lakegate.files.ranges import Ranges, Read
from lakegate.files.store import FIX, Store, differs
from lakegate.manifest import DataFile, Manifest, Proof

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE: Final = 32 * 1024**2
"""Bytes up to which a file without proofs of its ranges is held in memory; of a larger one, read bytes are
hashed again."""

RUN: Final = 8 * 1024**2
"""Bytes fetched at once, unless a single range is longer."""

AT_ONCE: Final = 4
"""Runs fetched, and proved, at once."""

Span = tuple[int, int]
Run = tuple[int, memoryview]
"""The position of proved bytes in the file, and the bytes."""


@dataclass
class Prover:
    """The files of one version, proved by its manifest and the proofs of ranges that it names."""

    manifest: Manifest
    store: Store
    _known: dict[str, dict[str, Ranges]] = field(default_factory=dict)
    _loading: threading.Lock = field(default_factory=threading.Lock)

    def open(self, file: DataFile) -> Proved:
        """Open a file; a small one is read and proved now, a larger one as it is read.

        Raises:
            IntegrityError: It is not what the manifest says.
            Transient: The store doesn't respond.
        """
        found = None if file.size <= ranges.SMALL else self._ranges(file)
        handle, where = self.store.open_unproved(file), f"{self.manifest.name}, {file.path}"

        def read(start: int, stop: int) -> memoryview:
            try:
                return memoryview(handle.get_stream(start, stop - start).read_buffer(stop - start)).cast("B")
            except OSError as error:
                raise self.store.fault(file, error) from error

        try:
            _demand("size", file.size, handle.size(), where)
            content = None
            if found is None and file.size <= WHOLE:
                content = read(0, file.size)
                _demand("SHA-256", file.sha256, sha256(content).hexdigest(), where)
            elif found is None:
                digest, found = ranges.measure(read, file.size, ranges.blocks(file.size))
                _demand("SHA-256", file.sha256, digest, where)
        except OSError as error:
            handle.close()
            raise self.store.fault(file, error) from error
        except BaseException:
            handle.close()
            raise
        return Proved(file, where, handle, read, found, content)

    @cached_property
    def _covered(self) -> dict[str, Proof]:
        return {path: item for item in self.manifest.proofs for path in item.covers}

    def at_once(self, file: DataFile) -> int:
        """The bytes that opening a file takes into memory."""
        return file.size if file.size <= (ranges.SMALL if file.path in self._covered else WHOLE) else 0

    def _ranges(self, file: DataFile) -> Ranges | None:
        """The proofs of a file's ranges; None where the version has none, or those of another release."""
        if (proof := self._covered.get(file.path)) is None:
            return None
        with self._loading:
            if proof.path not in self._known:
                with Prover(self.manifest, self.store).open(proof.file) as source:
                    content = bytes(source.read(0, proof.size))
                self._known[proof.path] = ranges.from_bytes(content, where=source.where)
            known = self._known[proof.path]
        if not known:  # another release's, with other ranges
            return None
        found = known.get(file.path)
        if found is None or found.ends[-1] != file.size:
            what = f"{proof.path} says nothing of this file, or of another size"
            raise IntegrityError(what, where=f"{self.manifest.name}, {file.path}", fix=FIX)
        return found


@dataclass
class Proved:
    """An open file of which only proved bytes can be read; close it after use.

    Either all of it is in memory already (`content`), or it is fetched and proved range by range.
    """

    file: DataFile
    where: str
    _handle: pa.NativeFile
    _read: Read
    _ranges: Ranges | None = None
    content: memoryview | None = None
    _last: Run = (0, memoryview(b""))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._handle.close()

    def read(self, start: int, stop: int) -> memoryview:
        """The bytes from one position up to another, proved.

        Raises:
            IntegrityError: They are not those that were published.
            Transient: The store doesn't respond.
        """
        at, content = self._last
        if start < at or stop > at + len(content):
            runs = self.hold([(start, stop)], whole=True)
            at, content = self._last = runs[0] if runs else (start, memoryview(b""))
        return content[start - at : stop - at]

    def hold(self, spans: Iterable[Span], *, whole: bool = False) -> list[Run]:
        """The proved bytes of these spans (or more) as runs in order; each span in one run if `whole`."""
        if self.content is not None or self._ranges is None:
            return [(0, self.content or memoryview(b""))]
        numbers = sorted({number for start, stop in spans for number in self._ranges.over(start, stop)})
        runs = list(_runs(self._ranges, numbers, longest=self.file.size if whole else RUN))
        if len(runs) < 2:  # noqa: PLR2004
            return [self._run(run) for run in runs]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._run, runs))

    def _run(self, numbers: Sequence[int]) -> Run:
        """Fetch adjacent ranges, and prove each."""
        found = cast("Ranges", self._ranges)
        first, last = found.bounds(numbers[0])[0], found.bounds(numbers[-1])[1]
        content = self._read(first, last)
        for number in numbers:
            start, stop = found.bounds(number)
            if not found.holds(number, content[start - first : stop - first]):
                what = f"bytes {start} to {stop - 1} are not those that were published"
                what += f": their BLAKE3 is not {found.blake3[number]}"
                raise IntegrityError(what, where=self.where, fix=FIX)
        return first, content


def _runs(found: Ranges, numbers: Sequence[int], *, longest: int) -> Iterator[list[int]]:
    """The numbers of ranges in groups of adjacent ones, each of at most `longest` bytes or a single range."""
    run = list[int]()
    for number in numbers:
        if run and (number != run[-1] + 1 or found.bounds(number)[1] - found.bounds(run[0])[0] > longest):
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _demand(kind: str, expected: object, found: object, where: str) -> None:
    if found != expected:
        raise differs(kind, expected, found, where=where)
