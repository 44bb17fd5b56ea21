"""Unreadable records of delimited text in words: what is wrong with them, and where the first is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lake.parsing.column_mapping import Shape
from lake.parsing.csv.grammar import Grammar
from lake.parsing.csv.reasons import UNREADABLE, Reason
from lake.parsing.parsed import Unreadable

SAVE: Final = "; a file in Windows-1252 or Latin-1, as Excel saves plain CSV, has to be saved as UTF-8"


def unreadable_message(
    first: Unreadable, reasons: Mapping[str, int], plain: Path, *, shape: Shape | None
) -> str:
    """What is wrong with a file's unreadable records, most frequent first. It quotes no record (P6).

    Args:
        first: The first of them.
        reasons: How many there are, by reason.
        plain: The unpacked file.
        shape: Its header, where the file could be staged.
    """
    counted = sorted(reasons.items(), key=lambda item: -item[1])
    wrong = ", ".join(f"{count} {_words(reason)}" for reason, count in counted)
    kind = f" ({_words(first.reason)})" if len(counted) > 1 else ""
    where = f"the first is record {first.row}{kind}, at byte {first.start:,}"
    fields = _fields(first, plain, shape) if first.reason == "fields" and shape is not None else ""
    return f"{wrong}; {where}{fields}{SAVE if counted[0][0] == 'encoding' else ''}"


def _words(reason: str) -> str:
    return UNREADABLE[Reason[reason.upper()]]


def _fields(record: Unreadable, plain: Path, shape: Shape) -> str:
    """How many fields a record has whose number is not the header's."""
    found = None
    with contextlib.suppress(OSError), plain.open("rb") as file:
        file.seek(record.start)
        found = Grammar(shape.format.delimiter).fields(file.read(record.end - record.start))
    if found is None:
        return ""
    one_more = len(found) == len(shape.header) + 1 and not found[-1]
    ends = ": it ends in a delimiter, and the header doesn't" if one_more else ""
    return f", with {len(found)} fields where the header has {len(shape.header)}{ends}"
