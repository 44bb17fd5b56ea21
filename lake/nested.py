"""JSON columns judged while a file is parsed: which checks of its contract each row's text breaks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.nested import Check, Nested
from expectations.spellings import FIRST_DAY, LAST_DAY, NOT_ZERO
from lake.json_documents import Documents, Members, read_documents
from lake.json_tokens import ARRAY, BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, STRING, Bools, Ints

_KINDS: Final[dict[str, tuple[int, ...]]] = {
    "string": (STRING,),
    "integer": (INTEGER,),
    "number": (INTEGER, NUMBER),
    "boolean": (BOOLEAN,),
    "date": (STRING,),
    "timestamp": (STRING,),
    "object": (OBJECT,),
    "array": (ARRAY,),
}
_LEAP: Final = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_MONTHS: Final = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
_YEAR: Final = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_DATE: Final = f"({_YEAR}-({_MONTHS})|{_LEAP}-02-29)"
_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-7]):[0-5][0-9]|[+-]18:00)?"
_SPELLINGS: Final = {"date": f"^{_DATE}\\z", "timestamp": f"^{_DATE}[T ]{_TIME}\\z"}
"""As in a column of that type, days that the calendar has; JSON has texts for them, and no space around."""
_EDGE: Final = f"^({FIRST_DAY}|{LAST_DAY})[T ].*[+-][0-9]{{2}}:[0-9]{{2}}\\z"
"""A time whose offset may take it out of the years 1 to 9999."""
_FAR: Final = "[eE]|^.{300}"
"""A number that may be more than a double holds, or so little that it holds 0."""


def judge_nested(values: Any, nested: Nested) -> pa.Array:
    """A text per row, with a 1 for each check that the row breaks and a 0 for the others, in the order of `nested.checks()`.

    A value that is not what it should be is asked nothing further, and NULL is asked nothing at all.
    """
    texts = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    documents = read_documents(texts)
    judge = _Judge(documents, {(check, path): place for place, (check, path, _) in enumerate(nested.checks())})
    judge.mark("type", "", np.flatnonzero(~documents.valid & np.asarray(texts.is_valid())))
    judge.ask(nested, "", documents.roots)
    return judge.marks()


class _Judge:
    def __init__(self, documents: Documents, places: dict[tuple[Check, str], int]) -> None:
        self.documents, self.places = documents, places
        self.broken = np.zeros((len(documents.valid), len(places)), np.bool_)

    def mark(self, check: Check, path: str, rows: Ints) -> None:
        self.broken[rows, self.places[check, path]] = True

    def ask(self, nested: Nested, path: str, values: Ints) -> None:
        """Ask values, of which none is null, and what they hold."""
        documents = self.documents
        fits = np.isin(documents.tokens.kind[values], _KINDS[nested.type])
        if nested.type in _SPELLINGS:
            fits[fits] = _spelt(documents, values[fits], _SPELLINGS[nested.type])
        if nested.type in _HELD:
            fits[fits] = _held(documents, values[fits], nested.type)
        self.mark("type", path, documents.tokens.row[values[~fits]])
        whole = values[fits]
        if nested.fields:
            found = _within(documents.fields, whole)
            known = {name: documents.names.get(name, -1) for name, _ in nested.fields}
            self.mark("unexpected", path, documents.tokens.row[found.value[~np.isin(found.name, list(known.values()))]])
            for name, field in nested.fields:
                here = found.name == known[name]
                self._inner(field, f"{path}.{name}", found.value[here], np.setdiff1d(whole, found.container[here]))
        if nested.items:
            self._inner(nested.items, f"{path}[]", _within(documents.elements, whole).value, np.zeros(0, np.int64))

    def marks(self) -> pa.Array:
        """The checks that are broken, as text."""
        rows, width = self.broken.shape
        offsets = np.arange(rows + 1, dtype=np.int64) * width
        digits = self.broken.astype(np.uint8) + ord("0")
        return pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(digits)).cast(pa.string())

    def _inner(self, nested: Nested, path: str, values: Ints, lacking: Ints) -> None:
        null = self.documents.tokens.kind[values] == NULL
        if nested.required:
            self.mark("required", path, self.documents.tokens.row[np.concatenate([values[null], lacking])])
        self.ask(nested, path, values[~null])


def _within(members: Members, containers: Ints) -> Members:
    return members.where(np.isin(members.container, containers))


def _spelt(documents: Documents, strings: Ints, pattern: str) -> Bools:
    return _matching(documents.written(strings), pattern)


def _held(documents: Documents, values: Ints, kind: str) -> Bools:
    """Whether a reader can hold each value: those of which that isn't certain are few, and asked one by one."""
    pattern, holds = _HELD[kind]
    texts = documents.written(values) if kind == "timestamp" else documents.spelled(values)
    kept = np.ones(len(values), np.bool_)
    for place in np.flatnonzero(_matching(texts, pattern)).tolist():
        kept[place] = holds(texts[place].as_py())
    return kept


def _holds_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        return False
    return True


def _holds_number(text: str) -> bool:
    return math.isfinite(value := float(text)) and (value != 0 or re.match(NOT_ZERO, text) is None)


_HELD: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {"timestamp": (_EDGE, _holds_time), "number": (_FAR, _holds_number)}


def _matching(texts: pa.Array, pattern: str) -> Bools:
    return np.asarray(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False), np.bool_)
