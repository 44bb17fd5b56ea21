"""The tokens of JSON texts, of a whole column at once: as arrays, with no object per text (grammar: RFC 8259).

A column is one array of bytes, in which strings are found by their quotes. So an answer depends on the text alone: on no engine, and on
no text beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Kinds = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

STRING, COLON, COMMA = 34, 58, 44
OBJECT, ARRAY, OBJECT_END, ARRAY_END = 123, 91, 125, 93
NULL, BOOLEAN, INTEGER, NUMBER, NOTHING = 1, 2, 3, 4, 5
"""Kinds of token: those with a sign of their own by its code, the others by a number; NOTHING is none of JSON's words or numbers."""

_SCALARS: Final = {
    NULL: r"^null\z",
    BOOLEAN: r"^(true|false)\z",
    NUMBER: r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z",
    INTEGER: r"^-?(0|[1-9][0-9]{0,17})\z",
}
"""A later one overrules; whole numbers of at most 18 digits are integers, as in a column of that type."""


def _among(characters: str) -> Bools:
    found = np.zeros(256, np.bool_)
    found[list(characters.encode())] = True
    return found


_SIGNS: Final = _among("{}[]:,")
_SPACE: Final = _among(" \t\n\r")
_ESCAPES: Final = _among('"\\/bfnrtu')
_HEX: Final = _among("0123456789abcdefABCDEF")


@dataclass(frozen=True)
class Texts:
    """Texts as bytes one after the other, NULL as an empty one, and which of them are still taken for JSON."""

    offsets: Ints
    data: Bytes
    valid: Bools

    @classmethod
    def of(cls, texts: pa.Array) -> Texts:
        """Of an Arrow array of strings."""
        present = pc.fill_null(texts.cast(pa.large_string()), "")
        _, offsets, data = present.buffers()
        ends = np.frombuffer(offsets, np.int64)[present.offset : present.offset + len(present) + 1] if offsets else np.zeros(1, np.int64)
        whole = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
        return cls(ends - ends[0], whole[ends[0] : ends[-1]], np.ones(len(texts), np.bool_))

    @cached_property
    def first(self) -> Bools:
        """Whether a text begins at a byte; one more for the end."""
        found = np.zeros(len(self.data) + 1, np.bool_)
        found[self.offsets] = True
        return found

    @cached_property
    def row(self) -> Ints:
        """The text that each byte belongs to."""
        return np.repeat(np.arange(len(self.valid)), np.diff(self.offsets))

    def rows(self, places: Ints) -> Ints:
        """The texts that bytes belong to."""
        return self.row[places]

    def refuse(self, rows: Ints) -> None:
        """Take texts for no JSON."""
        self.valid[rows] = False

    def cut(self, start: Ints, end: Ints) -> pa.Array:
        """Pieces of the bytes, no two of which overlap, as text."""
        if not len(start):
            return pa.array([], pa.large_string())
        order = np.argsort(start, kind="stable")
        edges = np.column_stack([start[order], end[order]]).reshape(-1)
        # Strings laid over the bytes, those between pieces left out.
        laid = pa.LargeStringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), pa.py_buffer(self.data))
        places = np.empty(len(start), np.int64)
        places[order] = np.arange(0, len(edges), 2)
        return laid.take(pa.array(places))


@dataclass(frozen=True)
class Tokens:
    """Kind, text, first byte and the byte after the last of each token, in order."""

    kind: Kinds
    row: Ints
    start: Ints
    end: Ints

    def where(self, kept: Any) -> Tokens:
        """Some of them: a mask, or places."""
        return Tokens(self.kind[kept], self.row[kept], self.start[kept], self.end[kept])


def tokenize(texts: Texts) -> Tokens:
    """The tokens of texts; those are refused in which a string has no end or holds what JSON forbids, or a word means nothing."""
    data, escaped = texts.data, _escaped(texts)
    plain = data == STRING
    plain[escaped] = False
    quotes = np.flatnonzero(plain)
    odd = np.bincount(texts.rows(quotes), minlength=len(texts.valid)) % 2 == 1
    texts.refuse(np.flatnonzero(odd))
    quotes = quotes[~odd[texts.rows(quotes)]]
    opening, closing = quotes[0::2], quotes[1::2]
    inside = _between(opening, closing, len(data))
    texts.refuse(texts.rows(np.flatnonzero(inside & (data < ord(" ")))))
    _refuse_escapes(texts, escaped[inside[escaped]])
    signs = np.flatnonzero(~inside & _SIGNS[data])
    word = np.zeros(len(data) + 2, np.bool_)
    word[1:-1] = ~inside & ~_SIGNS[data] & ~_SPACE[data]
    begins = np.flatnonzero(word[1:-1] & (texts.first[:-1] | ~word[:-2]))
    ends = np.flatnonzero(word[1:-1] & (texts.first[1:] | ~word[2:])) + 1
    found = Tokens(
        np.concatenate([np.full(len(opening), STRING, np.int8), data[signs].astype(np.int8), _scalars(texts.cut(begins, ends))]),
        texts.rows(np.concatenate([opening, signs, begins])),
        np.concatenate([opening, signs, begins]),
        np.concatenate([closing + 1, signs + 1, ends]),
    )
    texts.refuse(found.row[found.kind == NOTHING])
    return found.where(np.argsort(found.start, kind="stable"))


def _escaped(texts: Texts) -> Ints:
    """Places of bytes that a backslash before them escapes: those behind the first, third and so on of a run."""
    slashes = np.flatnonzero(texts.data == ord("\\"))
    fresh = np.diff(slashes, prepend=-2) != 1  # a run into the next text does no harm: none that begins so is JSON
    place = np.arange(len(slashes))
    behind: Ints = slashes[(place - np.maximum.accumulate(np.where(fresh, place, 0))) % 2 == 0] + 1
    return behind[~texts.first[behind]]


def _between(opening: Ints, closing: Ints, size: int) -> Bools:
    """Which bytes belong to a string, its quotes included."""
    steps = np.zeros(size + 1, np.int8)
    steps[opening] += 1
    steps[closing + 1] -= 1
    return np.asarray(np.cumsum(steps[:-1], dtype=np.int8) > 0, np.bool_)


def _refuse_escapes(texts: Texts, escaped: Ints) -> None:
    data = np.append(texts.data, np.zeros(4, np.uint8))
    texts.refuse(texts.rows(escaped[~_ESCAPES[data[escaped]]]))
    unicode = escaped[data[escaped] == ord("u")]
    hexadecimal = np.logical_and.reduce([_HEX[data[unicode + step]] for step in (1, 2, 3, 4)])
    texts.refuse(texts.rows(unicode[~hexadecimal]))


def _scalars(words: pa.Array) -> Kinds:
    kinds = np.full(len(words), NOTHING, np.int8)
    for kind, pattern in _SCALARS.items():
        kinds[pc.match_substring_regex(words, pattern).to_numpy(zero_copy_only=False).astype(np.bool_)] = kind
    return kinds
