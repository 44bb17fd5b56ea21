"""Quotes of a block: which lines belong to one record, and which can't be divided into fields.

A field that begins with a quote may run over line ends, so lines with an odd number of quotes are paired. A
line with an odd number that no record explains is unreadable alone: it never takes the next ones with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from lake.parsing.csv.grammar import Grammar
from lake.parsing.csv.lines import Bytes, Ints, Lines
from lake.parsing.csv.reasons import Reason

QUOTE: Final = ord('"')


def judge_quotes(raw: Bytes, lines: Lines, grammar: Grammar, *, final: bool) -> tuple[int, Ints, Bytes]:
    """How many lines are decided, the first and last line of each record of several, and a reason per line.

    Args:
        raw: The block.
        lines: Its lines, of which there is at least one.
        grammar: Divides records into fields.
        final: No longer block can be looked at: all lines are to be decided.
    """
    count = len(lines)
    reason, merged = np.zeros(count, np.uint8), np.zeros((0, 2), np.int64)
    quotes = np.flatnonzero(raw[: lines.stop[-1]] == QUOTE)
    if not len(quotes):
        return count, merged, reason
    upto = np.searchsorted(quotes, lines.stop)
    per_line = np.diff(upto, prepend=0)
    odd = np.flatnonzero(per_line % 2)
    alone = per_line % 2 == 1
    if len(odd) and grammar.max_lines > 1:
        count, merged = _pair_odd_lines(raw, lines, upto, odd, grammar, final=final)
        for first, last in merged:
            alone[first : last + 1] = True
    reason[odd] = Reason.OPEN_QUOTE
    reason[merged[:, 0]] = Reason.READABLE
    if len(odd):
        quotes = quotes[~np.repeat(alone, per_line)]
    for line in _doubtful_lines(raw, quotes, lines, grammar):
        if line < count and grammar.fields(lines.text(raw, line, line)) is None:
            reason[line] = Reason.QUOTING
    return count, merged, reason


def _pair_odd_lines(
    raw: Bytes, lines: Lines, upto: Ints, odd: Ints, grammar: Grammar, *, final: bool
) -> tuple[int, Ints]:
    """Pair lines whose quotes are odd: only the next such line can close what one opened."""
    found: list[tuple[int, int]] = []
    count, index, ends = len(lines), 0, [*odd.tolist(), len(lines)]
    while index < len(ends) - 1:
        first, last = ends[index : index + 2]
        before = int(upto[first - 1]) if first else 0
        # Each quoted field adds max_lines - 1 line ends at most: most broken quotes end here, unread.
        quotes = int(upto[min(last, count - 1)]) - before + (last == count)
        if last - first <= quotes // 2 * (grammar.max_lines - 1):
            if last < count and grammar.spans_lines(lines.text(raw, first, last)):
                found.append((first, last))
                index += 1
            elif last == count and not final:
                count = first
                break
        index += 1
    return count, np.array(found, np.int64).reshape(-1, 2)


def _doubtful_lines(raw: Bytes, quotes: Ints, lines: Lines, grammar: Grammar) -> Iterator[int]:
    """All lines with a quote that neither opens a field, nor closes one, nor is doubled, and some others."""
    opening, closing = quotes[0::2], quotes[1::2]
    # At the block's first and last byte this looks at the wrong neighbour; such a line is only looked at
    # again.
    well = grammar.edge[raw[opening - 1]] & grammar.edge[raw[np.minimum(closing + 1, len(raw) - 1)]]
    yield from np.unique(np.searchsorted(lines.stop, opening[~well], side="right")).tolist()
