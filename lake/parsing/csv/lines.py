"""Lines of a block of bytes: where each begins and ends. A line ends with LF, CR LF or a lone CR."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Buffer = bytes | mmap.mmap
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

LF: Final = ord("\n")
CR: Final = ord("\r")
NONE: Final[Ints] = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Lines:
    """Lines, then records, of a block: offsets from its first byte; `stop` is behind the terminator."""

    start: Ints
    end: Ints
    stop: Ints

    def __len__(self) -> int:
        return len(self.stop)

    def text(self, raw: Bytes, first: int, last: int) -> bytes:
        """The bytes of these lines of the block, without the last one's terminator."""
        return raw[self.start[first] : self.end[last]].tobytes()


def find_lines(raw: Bytes, *, last: bool) -> Lines:
    """The complete lines of a block; `last`: the file ends with it, so the last line needs no terminator."""
    stop = np.flatnonzero(raw == LF) + 1
    end = stop - 1
    if len(returns := np.flatnonzero(raw == CR)):
        paired = raw[np.minimum(returns + 1, len(raw) - 1)] == LF
        end -= (end > 0) & (raw[end - 1] == CR)
        if not paired.all():
            end, stop = np.concatenate([end, returns[~paired]]), np.concatenate([stop, returns[~paired] + 1])
            order = np.argsort(stop)
            end, stop = end[order], stop[order]
    if last and len(raw) and (not len(stop) or stop[-1] < len(raw)):
        end, stop = np.append(end, len(raw)), np.append(stop, len(raw))
    return Lines(np.concatenate([np.zeros(min(1, len(stop)), np.int64), stop[:-1]]), end, stop)
