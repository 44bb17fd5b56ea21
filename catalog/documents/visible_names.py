"""Names as messages show them: invisible and misleading characters are written as escapes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 64
"""Characters of a name that a message shows."""
NAMED: Final = 8
"""Most names that a message lists."""
UNCLAIMED: Final = "\x1f"
"""Prefix of a header that no column takes, though a column that comes under another header has this name.

No header can hold this character.
"""
MASK: Final = "***"
"""What is shown in place of a value that may be personal."""
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LETTERS: Final = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "æ": "ae",
        "ø": "oe",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "þ": "th",
        "µ": "u",
        "μ": "u",
    }
)
"""Letters that Unicode doesn't take apart into a to z and a mark, or that are spelt otherwise without it."""


def visible(name: str) -> str:
    """A plain name as it is; any other in quotes, with blanks, invisible characters and marks as escapes."""
    name = name.removeprefix(UNCLAIMED)
    cut = name if len(name) <= LONGEST else f"{name[:LONGEST]}..."
    if _PLAIN.fullmatch(name):
        return cut
    return "".join(
        character.encode("unicode-escape").decode() if unicodedata.category(character) == "Mn" else character
        for character in repr(cut)
    )


def listed(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    known = list(names)
    shown = ", ".join(map(visible, known[:NAMED]))
    return shown if len(known) <= NAMED else f"{shown} and {len(known) - NAMED} more"


def folded(name: str) -> str:
    """A name without case, marks and all that is neither letter nor digit, to compare it with another."""
    return re.sub(r"[\W_]", "", _spelt(name))


def identifier(name: str, *, place: int) -> str:
    """A column's name made of any header; by its place, from 1, where nothing is left of it."""
    words = re.sub(r"[^a-z0-9]+", "_", _spelt(name)).strip("_")
    if not words:
        return f"column_{place}"
    return words if words[0].isalpha() else f"c_{words}"


def _spelt(name: str) -> str:
    lower = unicodedata.normalize("NFC", name).casefold()
    apart = unicodedata.normalize("NFKD", lower.translate(_LETTERS))
    return "".join(character for character in apart if unicodedata.category(character)[0] not in "MC")
