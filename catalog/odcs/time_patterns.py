"""Formats of dates and times that mean the same on both engines: their letters, and the matching texts.

Engines differ in the other texts that they read (a full month's name for a short one, zones, signs). So a
text has to have the format's own shape before an engine reads it (promise P5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final

_TOKEN: Final = re.compile(r"''|'(?:[^']|'')+'|([A-Za-z])\1*|.", re.DOTALL)
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _any_case(words: list[str]) -> str:
    """The words in any case, each letter written out: engines fold some letters beyond ASCII."""
    spelled = ("".join(f"[{letter.upper()}{letter.lower()}]" for letter in word) for word in words)
    return f"({'|'.join(spelled)})"


_TWO, _ONE_OR_TWO = "[0-9]{2}", "[0-9]{1,2}"
_SHAPES: Final = {
    "yyyy": "[0-9]{4}",
    "yy": _TWO,
    "MM": _TWO,
    "M": _ONE_OR_TWO,
    "MMM": _any_case([name[:3] for name in _MONTHS]),
    "MMMM": _any_case(_MONTHS),
    **{letter * 2: _TWO for letter in "dHhms"},
    **dict.fromkeys("dHhms", _ONE_OR_TWO),
    **{"S" * width: f"[0-9]{{1,{width}}}" for width in range(1, 7)},
    "a": "[AaPp][Mm]",
    "XX": "(Z|[+-][0-9]{4})",
    "XXX": "(Z|[+-][0-9]{2}:[0-9]{2})",
    "xx": "[+-][0-9]{4}",
    "xxx": "[+-][0-9]{2}:[0-9]{2}",
    "Z": "[+-][0-9]{4}",
}
"""The text of each group of letters. Engines differ on the groups that aren't here."""
ALLOWED: Final = tuple(_SHAPES)
_FIELDS: Final = {"x": "X", "Z": "X", "h": "H"}
"""Letters that mean the same as another."""
_NEEDS: Final = (("m", "H"), ("s", "m"), ("S", "s"))
_RESERVED: Final = ("[", "]", "{", "}", "#", "'")
ADVICE: Final = (
    "use yyyy or yy, MM, M, MMM or MMMM, dd or d, HH or H (hh or h with a), mm or m, ss or s, S to SSSSSS, "
    "XX, XXX, xx, xxx or Z, other letters in single quotes, such as yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
)
"""What to write instead of a wrong format."""


def pattern_mistake(pattern: str) -> str | None:
    """The part of a format that is missing, or that engines read differently; None where all is well."""
    return next(_mistakes([found[0] for found in _TOKEN.finditer(pattern)]), None)


def _mistakes(tokens: list[str]) -> Iterator[str]:
    groups = [token for token in tokens if token[0].isascii() and token[0].isalpha()]
    for token in groups:
        if token not in _SHAPES:
            yield f"{token!r} does not mean the same on every engine"
    yield from (f"{token!r} is reserved" for token in tokens if token in _RESERVED)
    fields = [_FIELDS.get(token[0], token[0]) for token in groups]
    if len(set(fields)) < len(fields):
        yield "it says one thing twice"
    if not {"y", "M", "d"} <= set(fields):
        yield "it has no year, month and day"
    if any(part in fields and whole not in fields for part, whole in _NEEDS):
        yield "it has a part of the time without the whole"
    if any(token[0] == "h" for token in groups) != ("a" in groups):
        yield "hh and a are written together"
    for one, other in pairwise(tokens):
        if {one, other} <= {*groups} and _digits(one) and _digits(other) and (_open(one) or _open(other)):
            yield f"nothing tells where {one!r} ends and {other!r} begins"


@lru_cache(maxsize=256)
def pattern_shape(pattern: str) -> str:
    """The regular expression that a text of a sound format matches, in ASCII classes only."""
    parts = [_SHAPES.get(found[0]) or _literal(found[0]) for found in _TOKEN.finditer(pattern)]
    return f"^{''.join(parts)}\\z"


def _literal(written: str) -> str:
    text = written if len(written) == 1 else written[1:-1].replace("''", "'") or "'"
    return re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", text)


def _digits(token: str) -> bool:
    """Whether its text is digits."""
    return token[0] in "yMdHhmsS" and len(token) <= (2 if token[0] == "M" else len(token))


def _open(token: str) -> bool:
    """Whether its text has no fixed width."""
    return len(token) == 1 or token[0] == "S"
