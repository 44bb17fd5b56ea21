"""A file cut into ranges, each with its BLAKE3, so that a part of it can be proved without the rest.

A reader hashes all that it reads, and BLAKE3 takes a third of SHA-256's time. The file of a version's ranges
is proved by the SHA-256 in its manifest.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from blake3 import blake3

from lakegate.errors import IntegrityError

FORMAT: Final = 2
"""Format of the file that holds the ranges of a version's files."""

SMALL: Final = 256 * 1024
"""Bytes up to which a file is fetched as a whole, without ranges."""

BLOCK: Final = 1024**2
"""Bytes per range of a file that is no Parquet."""

PIECE: Final = 4 * 1024**2
"""Bytes read and hashed at a time."""

Read = Callable[[int, int], memoryview]
"""The bytes of a file from one position up to another."""


@dataclass(frozen=True)
class Ranges:
    """Where each range ends, and its hex BLAKE3; each byte of the file lies in one range."""

    ends: tuple[int, ...]
    blake3: tuple[str, ...]

    def over(self, start: int, stop: int) -> range:
        """The numbers of the ranges that hold the bytes from `start` up to `stop`."""
        if start >= stop:
            return range(0)
        return range(bisect_right(self.ends, start), bisect_left(self.ends, stop) + 1)

    def bounds(self, number: int) -> tuple[int, int]:
        """Where a range begins and ends."""
        return self.ends[number - 1] if number else 0, self.ends[number]

    def holds(self, number: int, content: bytes | memoryview) -> bool:
        """Whether this is the content of a range."""
        return blake3(content).hexdigest() == self.blake3[number]


def blocks(size: int) -> list[int]:
    """Where the ranges of a file end that is cut into equal blocks."""
    return [*range(BLOCK, size, BLOCK), size]


def measure(read: Read, size: int, ends: Sequence[int]) -> tuple[str, Ranges]:
    """The hex SHA-256 of a file and the BLAKE3 of its ranges, from one pass over the same bytes."""
    whole, found, running, at = hashlib.sha256(), list[str](), blake3(), 0
    cuts = iter(ends)
    end = next(cuts)
    with ThreadPoolExecutor(1) as pool:  # both are hashed at once
        while at < size:
            piece = read(at, min(at + PIECE, size))
            if not piece:
                break  # it is shorter than it should be, so its hash differs
            taken, stop = pool.submit(whole.update, piece), at + len(piece)
            while at < stop:
                running.update(piece[len(piece) - (stop - at) :][: end - at])
                at = min(end, stop)
                if at == end:
                    found.append(running.hexdigest())
                    running, end = blake3(), next(cuts, size)
            taken.result()
    return whole.hexdigest(), Ranges(tuple(ends), tuple(found))


def to_bytes(files: Mapping[str, Ranges]) -> bytes:
    """The ranges of files by their paths, as a version's file of proofs holds them."""
    listed = {path: {"ends": item.ends, "blake3": item.blake3} for path, item in files.items()}
    record = {"format": FORMAT, "files": listed}
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def from_bytes(raw: bytes, *, where: str) -> dict[str, Ranges]:
    """Read what `to_bytes` wrote; empty where the format is unknown, so that files are proved as a whole.

    Raises:
        IntegrityError: It can't be read.
    """
    try:
        record = json.loads(raw)
        if record["format"] != FORMAT:
            return {}
        return {path: _ranges(item) for path, item in record["files"].items()}
    except (ValueError, KeyError, TypeError) as error:
        what, fix = f"the proofs can't be read ({type(error).__name__})", "`lakegate verify` names every gap"
        raise IntegrityError(what, where=where, fix=f"{fix} of the version") from error


def _ranges(record: Mapping[str, Any]) -> Ranges:
    ends, hashes = tuple(map(int, record["ends"])), tuple(map(str, record["blake3"]))
    ascending = all(one < other for one, other in pairwise((0, *ends)))
    if not ends or len(ends) != len(hashes) or not ascending:
        raise ValueError(ends)
    return Ranges(ends, hashes)
