"""Every byte that a home holds, as it was written: what stores pack,
split or compress is taken apart before it is searched.

lakeFS keeps its metadata in tables whose blocks are compressed by Snappy (its KV,
and the listings of commits among the blocks), which writes a text that it wrote before as a reference to it:
a plain search of the files could miss what they hold. SQLite cuts long values at its pages' ends.
Parquet compresses columns. Data files are told from others by what they are, not by their place.
"""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

LEAST_BLOCK: Final = 24
MOST_BLOCK: Final = 2**22
"""Bytes of a compressed block, unpacked."""


class _NoBlockError(Exception):
    """What stands here is no compressed block."""


def _length(packed: bytes, at: int) -> tuple[int, int]:
    """A number of at most five bytes, seven bits each, least first, and where it ends."""
    for count in range(1, 6):
        part = packed[at : at + count]
        if len(part) == count and part[-1] < 0x80:
            return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(part)), at + count
    raise _NoBlockError


def _literal(packed: bytes, at: int, found: bytearray) -> int:
    size, at = (packed[at] >> 2) + 1, at + 1
    if (more := size - 60) > 0:
        size, at = int.from_bytes(packed[at : at + more], "little") + 1, at + more
    if at + size > len(packed):
        raise _NoBlockError
    found += packed[at : at + size]
    return at + size


def _copy(packed: bytes, at: int, found: bytearray) -> int:
    tag, wide = packed[at], (0, 1, 2, 4)[packed[at] & 3]
    size = (tag >> 2 & 7) + 4 if wide == 1 else (tag >> 2) + 1
    back = int.from_bytes(packed[at + 1 : at + 1 + wide], "little") | ((tag >> 5 << 8) if wide == 1 else 0)
    if not 0 < back <= len(found):
        raise _NoBlockError
    for _ in range(size):  # it may repeat what it writes
        found.append(found[-back])
    return at + 1 + wide


def unsnapped(packed: bytes, start: int) -> tuple[bytes, int] | None:
    """The Snappy block that begins here, unpacked, and where it ends;
    None where there is none (Snappy's format_description.txt).
    """
    found = bytearray()
    try:
        length, at = _length(packed, start)
        if not LEAST_BLOCK <= length <= MOST_BLOCK:
            return None
        while len(found) < length:
            at = (_copy if packed[at] & 3 else _literal)(packed, at, found)
    except (_NoBlockError, IndexError):
        return None
    return (bytes(found), at) if len(found) == length else None


def blocks(packed: bytes) -> bytes:
    """All Snappy blocks of a file, wherever they begin, one after the other."""
    found, at = [], 0
    while at < len(packed):
        block = unsnapped(packed, at)
        if block is None:
            at += 1
        else:
            found.append(block[0])
            at = block[1]
    return b"\n".join(found)


def is_data_file(path: Path) -> bool:
    """Whether a file is Parquet of rows; a checkpoint of a Delta log is Parquet too, of actions."""
    with path.open("rb") as reader:
        if reader.read(4) != b"PAR1":
            return False
    return "add" not in pq.read_schema(path).names


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what they say once unpacked."""
    plain = path.read_bytes()
    yield plain
    if plain[:2] == b"\x1f\x8b":
        yield gzip.decompress(plain)
    elif plain[:4] == b"PAR1":
        yield str(pq.read_table(path).to_pylist()).encode()
    elif plain[:15] == b"SQLite format 3":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            yield "\n".join(database.iterdump()).encode()
    elif path.parent.name == "kv" or "cache" in path.parts or b"{" not in plain[:1]:
        yield blocks(plain)


def searched(home: Path, delivered: Collection[bytes]) -> dict[Path, bytes]:
    """What each file below a home says, but for data files and the delivered bytes themselves."""
    known = {hashlib.sha256(content).hexdigest() for content in delivered}
    return {
        path.relative_to(home): b"\n".join(contents(path))
        for path in sorted(home.rglob("*"))
        if path.is_file()
        and hashlib.sha256(path.read_bytes()).hexdigest() not in known
        and not is_data_file(path)
    }
