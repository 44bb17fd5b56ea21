"""Patterns that mean the same to Java (Spark), Rust (Sail) and Python (Great Expectations) (promise P5)."""

from __future__ import annotations

import re
from typing import Final

_TOKENS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
"""An escaped character, a class, or any other character."""
_ESCAPE: Final = re.compile(r"\\[wWdDsSbB0-9ZNUv]")
_GROUP: Final = re.compile(r"\(\?[=!<P>#(]|\(\?[a-z]*[aLu]|[*+?}]\+")
"""Groups and repeats that the engines read differently, or that only one of them has."""
_NO_COUNT: Final = re.compile(r"\{(?![0-9]+(,[0-9]*)?\})[^}]*\}?")
"""A brace that Python reads as a character, and the engines as a wrong count."""
_IN_CLASS: Final = re.compile(r"\[|--|&&|~~")
"""Within a class: a class in it, a difference, an intersection, to some; characters to others."""
_ANY_CASE: Final = re.compile(r"\(\?[a-z]*i")
_FOLDED: Final = re.compile(r"[kKsS]|[^\x00-\x7f]|[A-Za-z]-[A-Za-z]|\\x")
"""Characters that (may) have a third case beyond ASCII, as the Kelvin sign: Rust folds it, Java doesn't."""
PORTABLE: Final = (
    "write classes out, such as [0-9] or [A-Za-z0-9_], both cases, such as [Kk],"
    " and no look-around or back references"
)
"""What to do about it."""


def unportable_pattern(pattern: str) -> str | None:
    """The first part of a pattern that does not mean the same on every engine."""
    tokens: list[str] = _TOKENS.findall(pattern)
    classes = [token for token in tokens if len(token) > 1 and token[0] == "["]
    bare = "".join(" " if len(token) > 1 else token for token in tokens)
    for found in (*map(_ESCAPE.search, tokens), _GROUP.search(bare), _NO_COUNT.search(bare)):
        if found is not None:
            return found[0]
    for part in classes:
        if _IN_CLASS.search(re.sub(r"\\.", " ", part[1:])):
            return part
    if _ANY_CASE.search(bare):
        for token in filter(_FOLDED.search, tokens):
            return f"{token} under (?i)"
    return None


def portable(pattern: str) -> str:
    r"""The pattern with `\z` for a `$` at its end: Java's `$` also matches before a line's end there."""
    tokens: list[str] = _TOKENS.findall(pattern)
    return pattern[:-1] + "\\z" if tokens and tokens[-1] == "$" else pattern
