"""The text that each type accepts: patterns, words for special numbers, and their description in the docs.

Casts differ between engines (what counts as a number, which dates), so each type's accepted spelling is a
pattern of our own, in ASCII classes only, and the cast happens behind it (promise P5).
"""

from __future__ import annotations

from typing import Final

from catalog.contract import ColumnType

_SIGN: Final = "[+-]?"
_OFFSET: Final = "(Z|[+-][0-9]{2}:[0-9]{2})?"
TRUE: Final = ("true", "TRUE", "True", "t", "T", "1")
FALSE: Final = ("false", "FALSE", "False", "f", "F", "0")
NOT_A_NUMBER: Final = ("NaN",)
INFINITE: Final = ("inf", "+inf", "Infinity", "+Infinity")
INFINITE_BELOW: Final = ("-inf", "-Infinity")
"""The words for numbers that no digits can write."""

SPELLINGS: Final[dict[ColumnType, str]] = {
    "integer": f"^{_SIGN}[0-9]{{1,18}}\\z",
    "double": f"^{_SIGN}([0-9]+([.][0-9]*)?|[.][0-9]+)([eE]{_SIGN}[0-9]{{1,3}})?\\z",
    "boolean": f"^({'|'.join((*TRUE, *FALSE))})\\z",
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\z",
    "timestamp": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?"
    f"{_OFFSET}\\z",
}
"""Accepted spellings; a timestamp without offset is UTC. Integers of 18 digits always fit 64 bits."""
NOT_ZERO: Final = "^[+-]?[0.]*[1-9]"
"""Of a number in its spelling: one of its digits is not 0."""

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
ENDS: Final[dict[ColumnType, tuple[str, str]]] = {
    "date": (FIRST_DAY, LAST_DAY),
    "timestamp": (f"{FIRST_DAY}T00:00:00Z", f"{LAST_DAY}T23:59:59.999999Z"),
}
"""The first and last value of a type: what Python, pandas and polars can hold, and so every reader."""


def listed(*words: str) -> str:
    """Spellings as a page lists them."""
    return ", ".join(f"`{word}`" for word in words)


DESCRIPTIONS: Final = {
    "integer": "up to 18 digits with an optional sign; not `5.0`, not `1e3`",
    "number": "decimal digits with optional sign, fraction and exponent (of up to three digits), "
    "unless a double makes infinity or zero of them: not `1e400`, not `1e-400`; "
    f"{listed(*NOT_A_NUMBER, *INFINITE, *INFINITE_BELOW)}, written so",
    "boolean": f"{listed(*TRUE)}; {listed(*FALSE)}",
    "date": f"`2013-01-31`, from `{FIRST_DAY}` to `{LAST_DAY}`",
    "timestamp": "`2013-01-31T10:00:00` or with a space, optional fraction of up to six digits, "
    "offset `Z` or `+01:00`; UTC where it has none; in UTC it lies in the years 1 to 9999",
}
"""What docs/contracts.md says of each logical type."""
