"""JSON texts as values within values, of a whole column at once.

Nesting is found by counting brackets; what stands in one object or array, in its order, then has to follow its pattern.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from lake.json_tokens import (
    ARRAY,
    ARRAY_END,
    BOOLEAN,
    COLON,
    COMMA,
    INTEGER,
    NOTHING,
    NULL,
    NUMBER,
    OBJECT,
    OBJECT_END,
    STRING,
    Bools,
    Ints,
    Kinds,
    Texts,
    Tokens,
    tokenize,
)

MAX_DEPTH: Final = 32
"""Objects and arrays within each other; a text with more is taken for none."""
_VALUES: Final = (STRING, OBJECT, ARRAY, NULL, BOOLEAN, INTEGER, NUMBER)
_PERIOD: Final = {OBJECT: 4, ARRAY: 2}
"""Tokens from one member to the next: name, colon, value, comma; value, comma."""
_VALUE_OF: Final = 2
"""A member's value stands two tokens behind its name."""


@dataclass(frozen=True)
class Members:
    """Values within objects or arrays: tokens, and the number of a name (an array's elements have none)."""

    container: Ints
    value: Ints
    name: Ints

    def where(self, kept: Bools) -> Members:
        """Some of them."""
        return Members(self.container[kept], self.value[kept], self.name[kept])


@dataclass(frozen=True)
class Documents:
    """The texts that are one JSON value each (`valid`), by their tokens: the roots, and the values within others.

    `names` numbers the names of members; an escaped name is the same as it is plain.
    """

    texts: Texts
    tokens: Tokens
    roots: Ints
    fields: Members
    elements: Members
    names: dict[str, int]

    @property
    def valid(self) -> Bools:
        """Which texts are JSON."""
        return self.texts.valid

    def written(self, strings: Ints) -> pa.Array:
        """What stands between the quotes of strings."""
        return self.texts.cut(self.tokens.start[strings] + 1, self.tokens.end[strings] - 1)

    def spelled(self, numbers: Ints) -> pa.Array:
        """Numbers, as they stand."""
        return self.texts.cut(self.tokens.start[numbers], self.tokens.end[numbers])


def read_documents(values: pa.Array) -> Documents:
    """Read texts; NULL is no JSON, nor is a text with an object that names a member twice, or with more than MAX_DEPTH in each other."""
    texts = Texts.of(values)
    tokens = tokenize(texts)
    tokens, level = _balanced(texts, tokens.where(texts.valid[tokens.row]))
    container = _containers(tokens, level)
    child = np.flatnonzero((tokens.kind != OBJECT_END) & (tokens.kind != ARRAY_END))
    child = child[np.argsort(container[child], kind="stable")]
    parent = container[child]
    begins = np.flatnonzero(np.diff(parent, prepend=np.iinfo(np.int64).min))
    size = np.diff(begins, append=len(parent))
    rank = np.arange(len(parent)) - np.repeat(begins, size)
    within = np.zeros(len(parent), np.int8)
    within[parent >= 0] = tokens.kind[parent[parent >= 0]]
    texts.refuse(tokens.row[child[~_fits(tokens.kind[child], within, rank, np.repeat(size, size))]])
    texts.refuse(np.flatnonzero(np.bincount(tokens.row, minlength=len(texts.valid)) == 0))
    sound = texts.valid[tokens.row[child]]  # in the others a name may be no string
    elements = np.flatnonzero(sound & (within == ARRAY) & (rank % _PERIOD[ARRAY] == 0))
    fields = np.flatnonzero(sound & (within == OBJECT) & (rank % _PERIOD[OBJECT] == _VALUE_OF))
    names, numbers = _names(texts, tokens.where(child[fields - _VALUE_OF]))
    found = Members(parent[fields], child[fields], numbers)
    paired = np.sort(found.container * (len(names) + 1) + found.name)
    texts.refuse(tokens.row[paired[1:][np.diff(paired) == 0] // (len(names) + 1)])
    items = Members(parent[elements], child[elements], np.zeros(len(elements), np.int64))
    kept = texts.valid[tokens.row]
    roots = child[(parent < 0) & kept[child]]
    return Documents(texts, tokens, roots, found.where(kept[found.value]), items.where(kept[items.value]), names)


def _balanced(texts: Texts, tokens: Tokens) -> tuple[Tokens, Ints]:
    """The tokens of texts whose brackets balance, and how many containers each stands in (a bracket: outside of its own)."""
    opens = (tokens.kind == OBJECT) | (tokens.kind == ARRAY)
    closes = (tokens.kind == OBJECT_END) | (tokens.kind == ARRAY_END)
    depth = np.cumsum(opens.astype(np.int64) - closes)
    first = np.searchsorted(tokens.row, tokens.row, side="left")
    depth -= np.append(np.int64(0), depth)[first]
    last = np.diff(tokens.row, append=-1) != 0
    texts.refuse(tokens.row[(depth < 0) | (depth > MAX_DEPTH) | (last & (depth != 0))])
    kept = texts.valid[tokens.row]
    return tokens.where(kept), (depth - opens)[kept]


def _containers(tokens: Tokens, level: Ints) -> Ints:
    """The bracket that opened what each token stands in; below zero, by text, for those that stand in nothing.

    A closing bracket whose opening one is of the other kind becomes NOTHING, which fits nowhere.
    """
    kind, found = tokens.kind, -1 - tokens.row
    opens, closes = (kind == OBJECT) | (kind == ARRAY), (kind == OBJECT_END) | (kind == ARRAY_END)
    for depth in range(int(level.max(initial=-1)) + 1):
        opening = np.flatnonzero(opens & (level == depth))
        if len(opening):
            inner, closing = np.flatnonzero(level == depth + 1), np.flatnonzero(closes & (level == depth))
            found[inner] = opening[np.searchsorted(opening, inner) - 1]
            opened = kind[opening[np.searchsorted(opening, closing) - 1]]
            kind[closing[kind[closing] - opened != OBJECT_END - OBJECT]] = NOTHING
    return found


def _fits(kind: Kinds, within: Kinds, rank: Ints, size: Ints) -> Bools:
    """Whether each token may stand where it does among those of its container, which has to end behind a value."""
    value = np.isin(kind, _VALUES)
    turn = rank % _PERIOD[OBJECT]
    member = np.select([turn == 0, turn == 1, turn == _VALUE_OF], [kind == STRING, kind == COLON, value], kind == COMMA)
    element = np.where(rank % _PERIOD[ARRAY] == 0, value, kind == COMMA)
    inside = [within == OBJECT, within == ARRAY]
    whole = np.select(inside, [size % _PERIOD[part] == _PERIOD[part] - 1 for part in (OBJECT, ARRAY)], size == 1)
    return np.asarray(whole & np.select(inside, [member, element], value), np.bool_)


def _names(texts: Texts, strings: Tokens) -> tuple[dict[str, int], Ints]:
    """The distinct names of members, by number, and the number of each."""
    encoded = texts.cut(strings.start + 1, strings.end - 1).dictionary_encode()
    names: dict[str, int] = {}
    numbers = [names.setdefault(json.loads(f'"{name}"'), len(names)) for name in encoded.dictionary.to_pylist()]
    return names, np.array(numbers, np.int64)[np.asarray(encoded.indices)]
