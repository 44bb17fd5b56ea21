"""Calls of functions in row conditions: those of `catalog.expressions.functions`, with their arguments."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from catalog.documents.document import suggest
from catalog.expressions.functions import (
    AGGREGATES,
    LEFT_OFF,
    ROW_FUNCTIONS,
    TRUNCATED,
    WINDOW_ARGUMENTS,
    Function,
)
from catalog.expressions.unite import united
from catalog.expressions.values import Refused, Value, exact

_TAKEN: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "s": ("text", ("string",)),
    "n": ("a number", ("exact", "double")),
    "f": ("a number", ("exact", "double")),
    "b": ("a condition", ("boolean",)),
    "d": ("a date", ("date",)),
    "t": ("a timestamp", ("timestamp",)),
    "m": ("a date or timestamp", ("date", "timestamp")),
}

_LEAST: Final = {"k": -(2**31), "c": 0, "o": 1}
QUOTE: Final = "'"
_REACH: Final = {
    **dict.fromkeys(("date_add", "date_sub"), 3_660_000),
    "add_months": 120_000,
    **dict.fromkeys(("substring", "substr", "left", "right", "repeat", "lpad", "rpad"), 1_000_000),
}
"""The greatest number of days, months or characters that a computed argument may give each function."""
_CUT: Final = ("substring", "substr")
"""Only a literal start may count from the end (be negative): engines differ on a computed one."""
_ROUNDED: Final = ("ceil", "floor")


def refusal(name: str) -> tuple[str, str]:
    """What is wrong with a function that is not on the list, and what to do."""
    what = f"{name}() is no function that SQL can use here"
    if name in LEFT_OFF:
        return what, LEFT_OFF[name]
    known = suggest(name, ROW_FUNCTIONS)
    hint = f"{known} " if known.startswith("did you mean") else ""
    return what, f"{hint}docs/sql.md lists those that can be used"


def called(name: str, values: Sequence[Value], pattern: Callable[[Value], str]) -> Value:
    """The result of a function.

    Args:
        name: The function's.
        values: Its arguments.
        pattern: Makes the SQL of a regular expression.
    """
    if name in AGGREGATES:
        what = f"it looks at more than one row: {name}()"
        raise Refused(what, "a condition can ask a row's own columns only")
    if (function := ROW_FUNCTIONS.get(name)) is None:
        raise Refused(*refusal(name))
    takes = _letters(function, len(values), name)
    if name == "round":
        return _rounded(values[0], values[1:], function.words, pattern)
    if name in _ROUNDED and values[0].kind == "exact" and not values[0].scale:
        return values[0]
    if function.gives == "same":
        return _same(name, function, takes, values)
    values = _shown(name, takes, values)
    places = (f"argument {number} of {name}()" for number in itertools.count(1))
    parts = [_argument(*given, function.words, pattern) for given in zip(places, takes, values, strict=False)]
    if name == "regexp_extract" and re.compile(values[1].constant or "").groups < int(parts[2]):
        what = f"the pattern {values[1].constant!r} has no group {parts[2]}"
        raise Refused(what, "put the part in brackets, or ask for group 0")
    if name == "regexp_replace" and (values[2].constant is None or {*values[2].constant} & {"$", "\\"}):
        fix = "write it out, without $ and backslashes, which engines read differently"
        raise Refused(f"argument 3 of {name}() is no plain text", fix)
    if name in ("trunc", "date_trunc"):
        return _truncated(name, parts)
    sql = _sql(name, function, parts)
    if name in _CUT and (computed := [item for item in parts[1:] if item.startswith("(case")]):
        # Sail gives all of a text from NULL on.
        sql = f"case when {' and '.join(f'{item} is not null' for item in computed)} then {sql} end"
    return exact(sql, function.most) if function.gives == "exact" else Value(f"({sql})", function.gives)


def _shown(name: str, takes: str, values: Sequence[Value]) -> Sequence[Value]:
    """The arguments, some of them as another kind."""
    if name == "concat":
        return [_as_text(item) for item in values]
    if name in _REACH:
        least = 0 if name in _CUT else -_REACH[name]
        pairs = zip(values, takes, strict=True)
        return [_bounded(item, letter, least, _REACH[name]) for item, letter in pairs]
    return values


def _as_text(value: Value) -> Value:
    """A value as text, where all engines write it alike."""
    if value.kind not in ("boolean", "date") and not value.whole:
        return value
    return replace(value, sql=f"cast({value.sql} as string)", kind="string")


def _bounded(value: Value, letter: str, least: int, reach: int) -> Value:
    """A number of days or characters; a computed one is NULL out of reach, and 0 for fewer characters."""
    if letter not in _LEAST or not value.whole:
        return value
    if value.constant is not None:
        if abs(int(value.constant)) > reach:
            what = f"{value.constant} is more than a date or text can be moved or made by"
            raise Refused(what, f"write {reach} at most")
        return value
    none = f"when {value.sql} < 0 then 0 " if letter == "c" else ""
    sql = f"(case {none}when {value.sql} between {least} and {reach} then cast({value.sql} as int) end)"
    return replace(value, sql=sql, kind="days")


def _letters(function: Function, count: int, name: str) -> str:
    needed, _, more = function.takes.partition("?")
    if needed.endswith("*"):
        needed = needed[:-1]
        letters = needed + needed[-1] * (count - len(needed))
    else:
        letters = (needed + more)[: max(count, len(needed))]
    if len(letters) != count:
        counted(name, count, len(needed), len(needed + more))
    return letters


def counted(name: str, count: int, least: int, most: int) -> None:
    """Refuse a call with fewer or more arguments than a function takes."""
    if not least <= count <= most:
        fix = f"give it {least}" if most == least else f"give it {least} to {most}"
        raise Refused(f"{name}() was given {count} arguments", fix)


def check_count(name: str, count: int) -> None:
    """Refuse a call of a function with another number of arguments than it takes."""
    if (function := ROW_FUNCTIONS.get(name)) is not None:
        _letters(function, count, name)
    elif name in WINDOW_ARGUMENTS:
        counted(name, count, *WINDOW_ARGUMENTS[name])
    elif name in AGGREGATES and name != "count":
        counted(name, count, *((2, 2) if name == "percentile" else (1, 1)))


def _argument(
    place: str, letter: str, value: Value, words: Sequence[str], pattern: Callable[[Value], str]
) -> str:
    if letter == "p":
        return pattern(value)
    if letter == "x" or (letter in _LEAST and value.kind == "days"):
        return value.sql
    if letter in _LEAST:
        if (count := value.literal_of(_LEAST[letter], 2**31)) is None:
            least = f" of {_LEAST[letter]} or more" if letter != "k" else ""
            raise Refused(f"{place} is no number{least} that is written out", "write a whole number there")
        return str(count)
    if letter == "w":
        if value.constant is None or value.constant.lower() not in words:
            raise Refused(f"{place} is none of its words", f"write one of: {', '.join(words)}")
        return value.sql if value.kind == "exact" else f"'{value.constant.lower()}'"
    said, kinds = _TAKEN[letter]
    if value.kind not in (*kinds, "null"):
        raise Refused(f"{place} is {said}, and {value.described()}", f"give it {said}, or cast it")
    return value.double if letter == "f" and value.number else value.sql


def _same(name: str, function: Function, takes: str, values: Sequence[Value]) -> Value:
    """A function that gives one of its arguments, or what is of their kind."""
    if takes == "n":
        (value,) = values
        if not value.number:
            raise Refused(f"{name}() takes a number, and {value.described()}", "give it a number, or cast it")
        if value.kind == "double":
            return Value(f"abs({value.sql})", "double")
        return exact(f"abs({value.decimal})", value.most, value.scale)
    condition = [item for letter, item in zip(takes, values, strict=True) if letter == "b"]
    if any(item.kind != "boolean" for item in condition):
        what = f"the first argument of {name}() is a condition, and {condition[0].described()}"
        raise Refused(what, "compare it with something")
    parts, like = united([item for letter, item in zip(takes, values, strict=True) if letter == "x"])
    return like(_sql(name, function, [*(item.sql for item in condition), *parts]))


def _rounded(
    value: Value, to: Sequence[Value], words: Sequence[str], pattern: Callable[[Value], str]
) -> Value:
    """A number rounded to so many digits behind the point, halves away from zero.

    A double is shifted by the digits, rounded, and shifted back.
    """
    digits = int(_argument("argument 2 of round()", "w", to[0], words, pattern)) if to else 0
    shown = _argument("argument 1 of round()", "f", value, (), pattern)
    if value.kind == "exact":
        if value.scale <= digits:
            return value
        most = value.most // 10 ** (value.scale - digits) + 1
        width = max(len(str(most)), digits)
        return exact(f"cast({value.decimal} as decimal({width}, {digits}))", most, digits)
    if not to:
        return Value(f"(round({shown}))", "double")
    shift = f"1{'0' * digits}.0D"
    small = f"abs({shown}) < 4503599627370496.0D"
    return Value(f"(case when {small} then round({shown} * {shift}) / {shift} else {shown} end)", "double")


def _truncated(name: str, parts: Sequence[str]) -> Value:
    """The first day of a year, quarter, month or week."""
    if name == "trunc":
        return Value(f"({TRUNCATED[parts[1].strip(QUOTE)].format(parts[0])})", "date")
    first_day = TRUNCATED[parts[0].strip(QUOTE)].format(f"cast({parts[1]} as date)")
    return Value(f"cast({first_day} as timestamp)", "timestamp")


def _sql(name: str, function: Function, parts: Sequence[str]) -> str:
    return function.sql.format(*parts) if function.sql else f"{name}({', '.join(parts)})"
