"""Functions in row conditions: of the list in `catalog.expressions.functions`, with arguments of the kinds that it says."""

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
"""Functions of a number of days, months or characters that may be computed, and how great it can be."""
_CUT: Final = ("substring", "substr")
"""From a place that is written out, which may be counted from the end, or computed, which may not: engines differ there."""
_ROUNDED: Final = ("ceil", "floor")


def refusal(name: str) -> tuple[str, str]:
    """What is said of a function that is not on the list, and what to do."""
    if name in LEFT_OFF:
        return f"{name}() is no function that SQL can use here", LEFT_OFF[name]
    known = suggest(name, ROW_FUNCTIONS)
    told = known if known.startswith("did you mean") else ""
    return (
        f"{name}() is no function that SQL can use here",
        f"{told}{' ' if told else ''}docs/sql.md lists those that can be used",
    )


def called(name: str, values: Sequence[Value], pattern: Callable[[Value], str]) -> Value:
    """What a function makes of values."""
    if name in AGGREGATES:
        raise Refused(
            f"it looks at more than one row: {name}()", "a condition can ask a row's own columns only"
        )
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
        raise Refused(
            f"the pattern {values[1].constant!r} has no group {parts[2]}",
            "put the part in brackets, or ask for group 0",
        )
    if name == "regexp_replace" and (values[2].constant is None or {*values[2].constant} & {"$", "\\"}):
        raise Refused(
            f"argument 3 of {name}() is no plain text",
            "write it out, without $ and backslashes, which engines read differently",
        )
    if name in ("trunc", "date_trunc"):
        return _truncated(name, parts)
    sql = _sql(name, function, parts)
    if name in _CUT and (computed := [item for item in parts[1:] if item.startswith("(case")]):
        sql = f"case when {' and '.join(f'{item} is not null' for item in computed)} then {sql} end"  # Sail gives all of a text from NULL on
    return exact(sql, function.most) if function.gives == "exact" else Value(f"({sql})", function.gives)


def _shown(name: str, takes: str, values: Sequence[Value]) -> Sequence[Value]:
    """The arguments, of which some are taken as another kind."""
    if name == "concat":
        return [_as_text(item) for item in values]
    if name in _REACH:
        least = 0 if name in _CUT else -_REACH[name]
        return [
            _counted(item, letter, least, _REACH[name]) for item, letter in zip(values, takes, strict=True)
        ]
    return values


def _as_text(value: Value) -> Value:
    """What engines write alike, as text."""
    written = value.kind in ("boolean", "date") or (value.kind == "exact" and not value.scale)
    return replace(value, sql=f"cast({value.sql} as string)", kind="string") if written else value


def _counted(value: Value, letter: str, least: int, reach: int) -> Value:
    """A number of days or characters that is computed: NULL where it is out of reach, and 0 where fewer means nothing."""
    if letter not in _LEAST or value.kind != "exact" or value.scale:
        return value
    if value.constant is not None:
        if abs(int(value.constant)) > reach:
            raise Refused(
                f"{value.constant} is more than a date or text can be moved or made by",
                f"write {reach} at most",
            )
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
        raise Refused(
            f"{name}() was given {count} arguments", f"give it {least}{f' to {most}' if most > least else ''}"
        )


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
    if letter == "x":
        return value.sql
    if letter in _LEAST and value.kind == "days":
        return value.sql
    if letter in _LEAST:
        if (
            value.kind != "exact"
            or value.scale
            or value.constant is None
            or not _LEAST[letter] <= int(value.constant) < 2**31
        ):
            least = f" of {_LEAST[letter]} or more" if letter != "k" else ""
            raise Refused(f"{place} is no number{least} that is written out", "write a whole number there")
        return str(int(value.constant))
    if letter == "w":
        if value.constant is None or value.constant.lower() not in words:
            raise Refused(f"{place} is none of its words", f"write one of: {', '.join(words)}")
        return value.sql if value.kind == "exact" else f"'{value.constant.lower()}'"
    said, kinds = _TAKEN[letter]
    if value.kind not in (*kinds, "null"):
        raise Refused(f"{place} is {said}, and {value.told()}", f"give it {said}, or cast it")
    return value.double if letter == "f" and value.number else value.sql


def _same(name: str, function: Function, takes: str, values: Sequence[Value]) -> Value:
    """A function that gives one of its arguments, or what is of their kind."""
    if takes == "n":
        (value,) = values
        if not value.number:
            raise Refused(f"{name}() takes a number, and {value.told()}", "give it a number, or cast it")
        return (
            Value(f"abs({value.sql})", "double")
            if value.kind == "double"
            else exact(f"abs({value.decimal})", value.most, value.scale)
        )
    condition = [item for letter, item in zip(takes, values, strict=True) if letter == "b"]
    if any(item.kind != "boolean" for item in condition):
        raise Refused(
            f"the first argument of {name}() is a condition, and {condition[0].told()}",
            "compare it with something",
        )
    parts, like = united([item for letter, item in zip(takes, values, strict=True) if letter == "x"])
    return like(_sql(name, function, [*(item.sql for item in condition), *parts]))


def _rounded(
    value: Value, to: Sequence[Value], words: Sequence[str], pattern: Callable[[Value], str]
) -> Value:
    """A number with so many digits behind the point: halves away from zero, and of a double, as doubles round what is shifted by them."""
    digits = int(_argument("argument 2 of round()", "w", to[0], words, pattern)) if to else 0
    shown = _argument("argument 1 of round()", "f", value, (), pattern)
    if value.kind == "exact":
        if value.scale <= digits:
            return value
        most = value.most // 10 ** (value.scale - digits) + 1
        return exact(
            f"cast({value.decimal} as decimal({max(len(str(most)), digits)}, {digits}))", most, digits
        )
    if not to:
        return Value(f"(round({shown}))", "double")
    shift = f"1{'0' * digits}.0D"
    return Value(
        f"(case when abs({shown}) < 4503599627370496.0D then round({shown} * {shift}) / {shift} else {shown} end)",
        "double",
    )


def _truncated(name: str, parts: Sequence[str]) -> Value:
    """The first day of a year, quarter, month or week."""
    if name == "trunc":
        return Value(f"({TRUNCATED[parts[1].strip(QUOTE)].format(parts[0])})", "date")
    return Value(
        f"cast({TRUNCATED[parts[0].strip(QUOTE)].format(f'cast({parts[1]} as date)')} as timestamp)",
        "timestamp",
    )


def _sql(name: str, function: Function, parts: Sequence[str]) -> str:
    return function.sql.format(*parts) if function.sql else f"{name}({', '.join(parts)})"
