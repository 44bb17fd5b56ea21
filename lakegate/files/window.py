"""A proved file as a file object for Python and Arrow."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lakegate.files.proved import RUN, Proved, Run

if TYPE_CHECKING:
    import pyarrow as pa


class Window(io.RawIOBase):
    """A proved file, readable and seekable; reads of the runs in `held` don't fetch anything.

    `close`, which Python's garbage collector calls too, closes the file unless it is `shared`.
    """

    def __init__(self, source: Proved, held: Sequence[Run] = (), *, shared: bool = False) -> None:
        self._source, self._held, self._at, self._shared = source, list(held), 0, shared
        self._starts = [start for start, _ in self._held]
        self._last: Run = (0, memoryview(b""))

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to another byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.file.size}[whence]
        if base + offset < 0:
            raise ValueError(offset)
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer from one run, at most."""
        target = memoryview(buffer).cast("B")
        start, stop = self._at, min(self._at + len(target), self._source.file.size)
        if start >= stop:
            return 0
        at, content = self._around(start)
        part = content[start - at : stop - at]
        target[: len(part)] = part
        self._at += len(part)
        return len(part)

    def read_buffer(self, size: int) -> pa.Buffer:
        """The next bytes as an Arrow buffer, copied only where they lie in several runs."""
        import pyarrow as pa

        start, stop, parts = self._at, min(self._at + size, self._source.file.size), list[memoryview]()
        while start < stop:
            at, content = self._around(start)
            parts.append(content[start - at : stop - at])
            start += len(parts[-1])
        self._at = max(start, self._at)
        return pa.py_buffer(parts[0] if len(parts) == 1 else b"".join(parts))

    def close(self) -> None:
        """Release the bytes, and close the file unless it is shared."""
        if not self.closed:
            self._held, self._starts, self._last = [], [], (0, memoryview(b""))
            if not self._shared:
                self._source.close()
        super().close()

    def _around(self, at: int) -> Run:
        """The run that holds a byte: a held one, the last, or a fetched one, longer in sequential reads."""
        number = bisect_right(self._starts, at)
        for start, content in (*self._held[max(number - 1, 0) : number], self._last):
            if start <= at < start + len(content):
                return start, content
        ahead = RUN if at == self._last[0] + len(self._last[1]) else 1
        self._last = self._source.hold([(at, min(at + ahead, self._source.file.size))], whole=True)[0]
        return self._last
