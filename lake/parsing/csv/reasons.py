"""Why a record of delimited text can't be read: a code for each record, and its words for people."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Reason(IntEnum):
    """Why a record is unreadable; the name in lower case is what reports show."""

    READABLE = 0
    OPEN_QUOTE = 1
    QUOTING = 2
    LENGTH = 3
    NUL = 4
    ENCODING = 5
    FIELDS = 6


UNREADABLE: Final = {
    Reason.OPEN_QUOTE: "with a quote that isn't closed",
    Reason.QUOTING: "with stray quotes",
    Reason.LENGTH: "too long",
    Reason.NUL: "with a NUL byte",
    Reason.ENCODING: "not UTF-8",
    Reason.FIELDS: "with more or fewer fields than the header",
}
"""What is wrong with a record that can't be read, in words."""
