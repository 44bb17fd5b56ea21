"""Where records begin and end, found from the bytes alone: a count of records that is not the parser's.

A record is one line; or several, where quoted fields run over line ends, each over at most `max_lines` lines.
Quotes are those of RFC 4180, section 2; a field that doesn't begin with one may hold them as text. `lines`
finds the lines of a block, `quotes` which of them are one record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from lake.parsing.csv.grammar import TERMINATOR, Grammar
from lake.parsing.csv.lines import NONE, Buffer, Bytes, Ints, Lines, find_lines
from lake.parsing.csv.quotes import judge_quotes
from lake.parsing.csv.reasons import Reason

BOM: Final = b"\xef\xbb\xbf"
BLOCK: Final = 4 * 1024**2
"""Bytes looked at together: bounds memory, and is long enough for numpy to be at full speed."""
FIRST_BLOCK: Final = 64 * 1024
"""Bytes of the header's block, which is split again for its records, and so is short."""
LONGEST = 16 * 1024**2
"""Bytes of a record over which it is unreadable: most likely a file that isn't delimited text at all."""
_NO_RECORDS: Final = (NONE, NONE, np.zeros(0, np.uint8))


@dataclass(frozen=True)
class Split:
    """The records of a part of a file: byte `start` and `end` (without terminator) of each, and its `reason`.

    A record's number, `row`, is its position here plus one: blank lines and the header are not counted.
    """

    start: Ints
    end: Ints
    reason: Bytes
    header: tuple[int, int] | None = None
    blank: int = 0
    bom_bytes: int = 0
    header_bytes: int = 0
    record_bytes: int = 0
    blank_bytes: int = 0

    def __len__(self) -> int:
        return len(self.start)

    def account(self) -> dict[str, int]:
        """Bytes by what they belong to, terminators to their line; they add up to the size of the part."""
        return {
            "bom": self.bom_bytes,
            "header": self.header_bytes,
            "records": self.record_bytes,
            "blank": self.blank_bytes,
        }


def split_blocks(
    data: Buffer, *, delimiter: str = ",", max_lines: int = 1, block: int = BLOCK
) -> Iterator[Split]:
    """Split a file block by block, in order and without gaps; the part that has the header has no records.

    Args:
        data: The file.
        delimiter: One ASCII character.
        max_lines: Lines that one quoted field may run over.
        block: Bytes that are split together.
    """
    grammar = Grammar(delimiter, max_lines)
    header: tuple[int, int] | None = None
    at = len(BOM) if data[: len(BOM)] == BOM else 0
    yield Split(*_NO_RECORDS, bom_bytes=at)
    while at < len(data) and header is None:
        part, at = _block(data, at, FIRST_BLOCK, grammar, head=True)
        if len(part):
            header, size = (int(part.start[0]), int(part.end[0])), part.record_bytes
            blank, blank_bytes = part.blank, part.blank_bytes
            part = Split(*_NO_RECORDS, header, blank, header_bytes=size, blank_bytes=blank_bytes)
        yield part
    fields = grammar.fields(data[slice(*header)]) if header and header[1] - header[0] <= LONGEST else None
    grammar = Grammar(delimiter, max_lines, len(fields) if fields else None)
    while at < len(data):
        part, at = _block(data, at, block, grammar)
        yield part


def _block(data: Buffer, at: int, size: int, grammar: Grammar, *, head: bool = False) -> tuple[Split, int]:
    """The records that are complete within about `size` bytes from `at`, and where they stop.

    Args:
        data: The file.
        at: First byte of the block.
        size: Bytes to look at first; doubled, up to LONGEST, as long as no record is complete in them.
        grammar: Divides records into fields.
        head: Stop after the first record, which is the header.
    """
    while True:
        raw = np.frombuffer(data, np.uint8, _limit(data, at, size) - at, at)
        last = at + len(raw) == len(data)
        lines = find_lines(raw, last=last)
        final = last or size >= LONGEST
        if len(lines):
            whole, merged, reason = judge_quotes(raw, lines, grammar, final=final)
            if whole:
                break
        elif final:
            match = TERMINATOR.search(data, at + len(raw))
            end, stop = match.span() if match else (len(data), len(data))
            overlong = Lines(*np.array([[0], [end - at], [stop - at]]))
            return _part(at, overlong, np.array([Reason.LENGTH], np.uint8)), stop
        size = min(2 * size, LONGEST)
    firsts, lasts = merged[:, 0], merged[:, 1]
    lines.end[firsts], lines.stop[firsts] = lines.end[lasts], lines.stop[lasts]
    inside = np.zeros(whole + 1, np.int8)
    inside[firsts + 1] += 1
    inside[lasts + 1] -= 1
    first = np.flatnonzero(np.cumsum(inside[:-1]) == 0)
    if head and (full := np.flatnonzero(lines.end[first] > lines.start[first])).size:
        first = first[: full[0] + 1]
    records = Lines(lines.start[first], lines.end[first], lines.stop[first])
    return _part(at, records, reason[first]), at + int(records.stop[-1])


def _limit(data: Buffer, at: int, size: int) -> int:
    """Where a block ends that doesn't part a CR from its LF."""
    limit = min(at + size, len(data))
    return limit + (data[limit - 1 : limit + 1] == b"\r\n")


def _part(at: int, lines: Lines, reason: Bytes) -> Split:
    full = lines.end > lines.start
    size = lines.stop - lines.start
    return Split(
        lines.start[full] + at,
        lines.end[full] + at,
        reason[full],
        blank=int((~full).sum()),
        record_bytes=int(size[full].sum()),
        blank_bytes=int(size[~full].sum()),
    )
