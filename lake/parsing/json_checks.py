"""JSON columns judged while a file is parsed: which checks of its contract each row's text breaks.

Python's own parser reads each text, held to the standard's grammar (RFC 8259). What a contract says of the
column is made into one function once, which walks what was read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from catalog.nested import Check, Nested
from expectations.spellings import NOT_ZERO

MAX_DEPTH: Final = 32
"""Objects and arrays within each other; a text with more is taken for none."""
_LEAP: Final = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_MONTHS: Final = (
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
)
_YEAR: Final = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_DATE: Final = f"({_YEAR}-({_MONTHS})|{_LEAP}-02-29)"
_TIME: Final = (
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-7]):[0-5][0-9]|[+-]18:00)?"
)
_IS_DATE: Final = re.compile(_DATE).fullmatch
_IS_TIME: Final = re.compile(f"{_DATE}[T ]{_TIME}").fullmatch
"""As in a column of that type, days that the calendar has; JSON has texts for them, and no space around."""
_EDGES: Final = ("0001", "9999")
"""Years that an offset may take a time out of."""
_INTEGER: Final = re.compile("-?[0-9]{1,18}").fullmatch
"""Whole numbers of at most 18 digits are integers, as in a column of that type."""

Walk = Callable[[Any, set[int]], None]
"""Adds to a row's broken checks those that a value breaks."""


class Number(str):
    """A number as it is written: none is converted before its type is known."""

    __slots__ = ()


def read_json(text: str) -> Any:
    """The value of a JSON text, its numbers as `Number`.

    Raises:
        ValueError: It is none by RFC 8259, names a member twice, or is more than MAX_DEPTH levels deep.
    """
    try:
        value = _READER.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a member is named twice")
    return found


def _refused(word: str) -> None:
    raise ValueError(word)


_READER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_refused, parse_int=Number, parse_float=Number
)


def _depth(value: Any) -> int:
    found, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        found += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return found


def judge_nested(values: Any, nested: Nested) -> pa.Array:
    """A text per row, of a digit for each of `nested.checks()`: 1 where the row breaks the check, else 0.

    What is inside a value of the wrong type is not checked, nor is NULL.
    """
    places = {(check, path): place for place, (check, path, _) in enumerate(nested.checks())}
    walk, unreadable = _walk(nested, "", places), {places["type", ""]}
    marks, known = list[str](), dict[frozenset[int], str]()
    for text in values.to_pylist():
        broken = set[int]()
        if text is not None:
            try:
                walk(read_json(text), broken)
            except ValueError:
                broken = unreadable
        if (mark := known.get(key := frozenset(broken))) is None:
            mark = known[key] = "".join("1" if place in broken else "0" for place in range(len(places)))
        marks.append(mark)
    return pa.array(marks, pa.string())


def _walk(nested: Nested, path: str, places: dict[tuple[Check, str], int]) -> Walk:
    """The function that checks a value of this type, and what is inside of it."""
    fits, wrong = _FITS[nested.type], places["type", path]
    inside: Walk | None = None
    if nested.fields:
        inside = _members_of(nested, path, places)
    elif nested.items:
        inside = _items_of(nested.items, path, places)

    def walk(value: Any, broken: set[int]) -> None:
        if not fits(value):
            broken.add(wrong)
        elif inside is not None:
            inside(value, broken)

    return walk


def _members_of(nested: Nested, path: str, places: dict[tuple[Check, str], int]) -> Walk:
    fields = [(name, _present(field, f"{path}.{name}", places)) for name, field in nested.fields]
    known, unexpected = dict(fields).keys(), places["unexpected", path]

    def walk(value: Any, broken: set[int]) -> None:
        if not value.keys() <= known:
            broken.add(unexpected)
        for name, inner in fields:
            inner(value.get(name), broken)

    return walk


def _items_of(nested: Nested, path: str, places: dict[tuple[Check, str], int]) -> Walk:
    inner = _present(nested, f"{path}[]", places)

    def walk(value: Any, broken: set[int]) -> None:
        for item in value:
            inner(item, broken)

    return walk


def _present(nested: Nested, path: str, places: dict[tuple[Check, str], int]) -> Walk:
    """The same of a value that may be null, or missing."""
    inner, required = _walk(nested, path, places), places["required", path] if nested.required else None

    def walk(value: Any, broken: set[int]) -> None:
        if value is not None:
            inner(value, broken)
        elif required is not None:
            broken.add(required)

    return walk


def _is_timestamp(value: Any) -> bool:
    """Whether it is a time that is in the years 1 to 9999 in UTC too."""
    if type(value) is not str or not _IS_TIME(value):
        return False
    if value[:4] in _EDGES and (time := datetime.fromisoformat(value)).tzinfo is not None:
        try:
            time.astimezone(UTC)
        except OverflowError:
            return False
    return True


def _is_number(value: Any) -> bool:
    """Whether it is a number that a double holds: none that would become infinite, or zero."""
    if type(value) is not Number:
        return False
    return math.isfinite(number := float(value)) and (number != 0 or re.match(NOT_ZERO, value) is None)


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda value: type(value) is str,
    "integer": lambda value: type(value) is Number and _INTEGER(value) is not None,
    "number": _is_number,
    "boolean": lambda value: type(value) is bool,
    "date": lambda value: type(value) is str and _IS_DATE(value) is not None,
    "timestamp": _is_timestamp,
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
}
