"""Where records begin and end, found from the bytes alone: the count of records that the parser doesn't supply.

A line ends with LF, CR LF or a lone CR. A record is one line; or several, where quoted fields run over line ends, each
over at most `max_lines` lines. Quotes are those of RFC 4180, section 2; a field that doesn't begin with one may hold them
as text. A line with an odd number of quotes that no record explains is unreadable alone: it never takes the next ones with it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lake.parsing.csv.grammar import TERMINATOR, Grammar

Buffer = bytes | mmap.mmap
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

BOM = b"\xef\xbb\xbf"
LF, CR, QUOTE = b'\n\r"'
BLOCK = 4 * 1024**2
"""Bytes looked at together: bounds memory, and is long enough for numpy to be at full speed."""
FIRST_BLOCK = 64 * 1024
"""The header's block is split again for its records, so it is kept short."""
LONGEST = 16 * 1024**2
"""Bytes of a record over which it is unreadable: most likely a file that isn't delimited text at all."""


class Reason(IntEnum):
    """Why a record is unreadable; the name in lower case is what reports show."""

    READABLE = 0
    OPEN_QUOTE = 1
    QUOTING = 2
    LENGTH = 3
    NUL = 4
    ENCODING = 5
    FIELDS = 6


@dataclass(frozen=True)
class Split:
    """The records of a stretch of a file: byte `start` and `end` (without terminator) of each, and its `reason`.

    A record's number, `row`, is its position here plus one: blank lines and the header are not counted.
    """

    start: Ints
    end: Ints
    reason: Bytes
    header: tuple[int, int] | None
    blank: int
    bom_bytes: int
    header_bytes: int
    record_bytes: int
    blank_bytes: int

    def __len__(self) -> int:
        return len(self.start)

    @property
    def unreadable(self) -> Bools:
        """Mask of the records that can't be split into fields."""
        mask: Bools = self.reason != Reason.READABLE
        return mask

    def account(self) -> dict[str, int]:
        """Bytes by what they belong to, line terminators to their line; the sum is the size of what was split."""
        return {
            "bom": self.bom_bytes,
            "header": self.header_bytes,
            "records": self.record_bytes,
            "blank": self.blank_bytes,
        }


@dataclass(frozen=True)
class _Lines:
    """Lines, then records, of a block: offsets from its first byte; `stop` is behind the terminator."""

    start: Ints
    end: Ints
    stop: Ints


_NONE = np.zeros(0, np.int64)
_NO_LINES = _Lines(_NONE, _NONE, _NONE)
_NO_REASON = np.zeros(0, np.uint8)


def split(data: Buffer, *, delimiter: str = ",", max_lines: int = 1) -> Split:
    """Split a whole file; 17 bytes of memory per record."""
    return joined(list(split_blocks(data, delimiter=delimiter, max_lines=max_lines)))


def split_blocks(
    data: Buffer, *, delimiter: str = ",", max_lines: int = 1, block: int = BLOCK
) -> Iterator[Split]:
    """Split a file block by block, in order and without gaps; the part that has the header has no records."""
    grammar = Grammar(delimiter, max_lines)
    header: tuple[int, int] | None = None
    at = len(BOM) if data[: len(BOM)] == BOM else 0
    yield replace(_part(0, _NO_LINES, _NO_REASON), bom_bytes=at)
    while at < len(data):
        part, at = _block(data, at, FIRST_BLOCK, grammar, head=True)
        if len(part):
            header = int(part.start[0]), int(part.end[0])
            yield replace(
                part,
                start=_NONE,
                end=_NONE,
                reason=_NO_REASON,
                header=header,
                header_bytes=part.record_bytes,
                record_bytes=0,
            )
            break
        yield part
    fields = grammar.fields(data[slice(*header)]) if header and header[1] - header[0] <= LONGEST else None
    grammar = Grammar(delimiter, max_lines, len(fields) if fields else None)
    while at < len(data):
        part, at = _block(data, at, block, grammar)
        yield part


def joined(parts: list[Split]) -> Split:
    """Consecutive parts as one."""
    return Split(
        start=np.concatenate([part.start for part in parts]),
        end=np.concatenate([part.end for part in parts]),
        reason=np.concatenate([part.reason for part in parts]),
        header=next((part.header for part in parts if part.header), None),
        blank=sum(part.blank for part in parts),
        bom_bytes=sum(part.bom_bytes for part in parts),
        header_bytes=sum(part.header_bytes for part in parts),
        record_bytes=sum(part.record_bytes for part in parts),
        blank_bytes=sum(part.blank_bytes for part in parts),
    )


def _block(data: Buffer, at: int, size: int, grammar: Grammar, *, head: bool = False) -> tuple[Split, int]:
    """The records that are complete within about `size` bytes from `at` (with `head`, the first only), and where they stop."""
    while True:
        raw = np.frombuffer(data, np.uint8, _limit(data, at, size) - at, at)
        last = at + len(raw) == len(data)
        lines = _lines(raw, last=last)
        final = last or size >= LONGEST
        if len(lines.stop):
            whole, merged, reason = _quotes(raw, lines, grammar, final=final)
            if whole:
                break
        elif final:
            match = TERMINATOR.search(data, at + len(raw))
            end, stop = match.span() if match else (len(data), len(data))
            return _part(
                at, _Lines(*np.array([[0], [end - at], [stop - at]])), np.array([Reason.LENGTH], np.uint8)
            ), stop
        size = min(2 * size, LONGEST)
    firsts, lasts = merged[:, 0], merged[:, 1]
    lines.end[firsts], lines.stop[firsts] = lines.end[lasts], lines.stop[lasts]
    inside = np.zeros(whole + 1, np.int8)
    inside[firsts + 1] += 1
    inside[lasts + 1] -= 1
    first = np.flatnonzero(np.cumsum(inside[:-1]) == 0)
    if head and (full := np.flatnonzero(lines.end[first] > lines.start[first])).size:
        first = first[: full[0] + 1]
    records = _Lines(lines.start[first], lines.end[first], lines.stop[first])
    return _part(at, records, reason[first]), at + int(records.stop[-1])


def _limit(data: Buffer, at: int, size: int) -> int:
    """Where a block ends that doesn't part a CR from its LF."""
    limit = min(at + size, len(data))
    return limit + (data[limit - 1 : limit + 1] == b"\r\n")


def _lines(raw: Bytes, *, last: bool) -> _Lines:
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
    return _Lines(np.concatenate([np.zeros(min(1, len(stop)), np.int64), stop[:-1]]), end, stop)


def _quotes(raw: Bytes, lines: _Lines, grammar: Grammar, *, final: bool) -> tuple[int, Ints, Bytes]:
    """How many lines are decided, the first and last line of each record of several, and a reason per line."""
    count = len(lines.stop)
    reason, merged = np.zeros(count, np.uint8), np.zeros((0, 2), np.int64)
    quotes = np.flatnonzero(raw[: lines.stop[-1]] == QUOTE)
    if not len(quotes):
        return count, merged, reason
    upto = np.searchsorted(quotes, lines.stop)
    per_line = np.diff(upto, prepend=0)
    odd = np.flatnonzero(per_line % 2)
    alone = np.zeros(count, np.bool_)
    alone[odd] = True
    if len(odd) and grammar.max_lines > 1:
        count, merged = _several(raw, lines, upto, odd, grammar, final=final)
        for first, last in merged:
            alone[first : last + 1] = True
    reason[odd] = Reason.OPEN_QUOTE
    reason[merged[:, 0]] = Reason.READABLE
    if len(odd):
        quotes = quotes[~np.repeat(alone, per_line)]
    for line in _misplaced(raw, quotes, lines, grammar):
        if line < count and grammar.fields(raw[lines.start[line] : lines.end[line]].tobytes()) is None:
            reason[line] = Reason.QUOTING
    return count, merged, reason


def _several(
    raw: Bytes, lines: _Lines, upto: Ints, odd: Ints, grammar: Grammar, *, final: bool
) -> tuple[int, Ints]:
    """Pair lines whose quotes are odd: only the next such line can close what one opened."""
    found: list[tuple[int, int]] = []
    index, ends = 0, odd.tolist()
    while index < len(ends):
        first = ends[index]
        before = int(upto[first - 1]) if first else 0
        last = ends[index + 1] if index + 1 < len(ends) else len(lines.stop)
        # Each quoted field adds max_lines - 1 line ends at most: most broken quotes end here, unread.
        quotes = int(upto[min(last, len(lines.stop) - 1)]) - before + (last == len(lines.stop))
        plausible = last - first <= quotes // 2 * (grammar.max_lines - 1)
        if plausible and last == len(lines.stop) and not final:
            return first, np.array(found, np.int64).reshape(-1, 2)
        if (
            plausible
            and last < len(lines.stop)
            and grammar.spans_lines(raw[lines.start[first] : lines.end[last]].tobytes())
        ):
            found.append((first, last))
            index += 1
        index += 1
    return len(lines.stop), np.array(found, np.int64).reshape(-1, 2)


def _misplaced(raw: Bytes, quotes: Ints, lines: _Lines, grammar: Grammar) -> Iterator[int]:
    """Lines that may have a quote which neither opens a field, nor closes one, nor is doubled; none that has is missing."""
    opening, closing = quotes[0::2], quotes[1::2]
    # At the block's first and last byte this looks at the wrong neighbour; a line wrongly doubted is looked at again.
    well = grammar.edge[raw[opening - 1]] & grammar.edge[raw[np.minimum(closing + 1, len(raw) - 1)]]
    yield from np.unique(np.searchsorted(lines.stop, opening[~well], side="right")).tolist()


def _part(at: int, lines: _Lines, reason: Bytes) -> Split:
    full = lines.end > lines.start
    size = lines.stop - lines.start
    start, end = lines.start[full] + at, lines.end[full] + at
    return Split(
        start,
        end,
        reason[full],
        None,
        int((~full).sum()),
        0,
        0,
        int(size[full].sum()),
        int(size[~full].sum()),
    )
