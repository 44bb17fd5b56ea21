"""JSON texts, sound and damaged, and what Python's parser reads of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

NO = object()
"""What is read of a text that is no JSON."""


def read(text: str) -> Any:
    """What Python's own parser reads, held to the standard's grammar, with numbers as they are written."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        return json.loads(
            text, object_pairs_hook=members, parse_constant=refuse, parse_int=Number, parse_float=Number
        )
    except ValueError:
        return NO


class Number(str):
    """A number as it is written."""

    __slots__ = ()


names = st.sampled_from(["a", "b", "é", "a b", 'q"', "\\u"])
texts = st.sampled_from(
    ["", "x", "é😀", '"', "\\", "{}", "\t", "2024-02-29", "2023-02-29", "2024-01-01T10:00:00Z"]
)
values = st.recursive(
    st.none() | st.booleans() | texts | st.integers(-(10**20), 10**20) | st.sampled_from([0.5, -0.0, 1e300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
written = st.builds(
    lambda value, escaped, wide: json.dumps(value, ensure_ascii=escaped, indent=wide),
    values,
    st.booleans(),
    st.sampled_from([None, 1]),
)
PIECES = [
    *'{}[]:,"\\ -01x\n',
    '"a"',
    '"a":',
    "null",
    "true",
    "1.5",
    "e3",
    '\\"',
    "\\u0061",
    "\\ud800",
    "\x01",
    "é",
    "[1]",
    "01",
    "+1",
    ".5",
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A JSON text of which a piece is replaced."""
    text = draw(written)
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(st.sampled_from(["", *PIECES])) + text[place + draw(st.integers(0, 2)) :]
