"""Unreadable records of delimited text in words: what is wrong with them, and where the first is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from lake.parsing.csv.grammar import Grammar
from lake.parsing.csv.record_splitter import Reason
from lake.parsing.parsed import Parsed

UNREADABLE: Final = {
    Reason.OPEN_QUOTE: "with a quote that isn't closed",
    Reason.QUOTING: "with stray quotes",
    Reason.LENGTH: "too long",
    Reason.NUL: "with a NUL byte",
    Reason.ENCODING: "not UTF-8",
    Reason.FIELDS: "with more or fewer fields than the header",
}
"""What is wrong with a record that can't be read, in words."""
SAVE: Final = "; a file in Windows-1252 or Latin-1, as Excel saves plain CSV, has to be saved as UTF-8"


def unreadable_message(parsed: Parsed, plain: Path) -> str:
    """What is wrong with the unreadable records of a plain file, most frequent first, and where the first is.

    Empty where there is none. It quotes no record (P6).
    """
    if not parsed.unreadable:
        return ""
    counted = sorted(parsed.reasons.items(), key=lambda item: -item[1])
    told = ", ".join(f"{count} {UNREADABLE[Reason[reason.upper()]]}" for reason, count in counted)
    first = parsed.unreadable[0]
    kind = f" ({UNREADABLE[Reason[first.reason.upper()]]})" if len(counted) > 1 else ""
    where = f"the first is record {first.row}{kind}, at byte {first.start:,}"
    fields = _fields(parsed, plain) if first.reason == "fields" else ""
    return f"{told}; {where}{fields}{SAVE if counted[0][0] == 'encoding' else ''}"


def _fields(parsed: Parsed, plain: Path) -> str:
    """How many fields the first record has whose number is not the header's."""
    first, shape, found = parsed.unreadable[0], parsed.shape, None
    if parsed.originals is None or shape is None:
        return ""
    with contextlib.suppress(OSError), plain.open("rb") as file:
        file.seek(first.start)
        found = Grammar(shape.format.delimiter).fields(file.read(first.end - first.start))
    if found is None:
        return ""
    one_more = len(found) == len(shape.header) + 1 and not found[-1]
    ends = ": it ends in a delimiter, and the header doesn't" if one_more else ""
    return f", with {len(found)} fields where the header has {len(shape.header)}{ends}"
