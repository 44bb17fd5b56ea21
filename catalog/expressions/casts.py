"""Casts in row conditions: NULL where a value doesn't fit, and text in the spellings of a contract's types.

Engines read other spellings of text differently, and write numbers with a fraction differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from catalog.expressions.spark_sql import literal, text
from catalog.expressions.values import DEEPEST, FINEST, LARGEST_INTEGER, MOST_DIGITS, Refused, Value, exact

if TYPE_CHECKING:
    from sqlglot import exp

    Cast = Callable[[Value, exp.DataType], Value]

_TIMES: Final = ("date", "timestamp")
_WHOLE: Final = {"TINYINT": 2**7, "SMALLINT": 2**15, "INT": 2**31, "BIGINT": 2**63}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = "[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?"
_SPELLED: Final = {
    "bigint": "^[+-]?[0-9]{1,18}\\z",
    "decimal": "^[+-]?[0-9]{1,30}([.][0-9]{1,6})?\\z",
    "double": "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?\\z",
    "date": f"^{_DAY}\\z",
    "timestamp": f"^{_DAY}[T ]{_CLOCK}\\z",
}
"""The text that each type is read from."""
CASTABLE: Final = "cast to bigint, decimal(p, s), double, string, boolean, date or timestamp"


def moment(value: Value, kind: str) -> Value:
    """A text literal beside a date or timestamp: the time that it says."""
    said, pattern = value.constant or "", _DATE if kind == "date" else _TIME
    if not pattern.fullmatch(said) or not on_calendar(said):
        sample = "2013-01-31" if kind == "date" else "2013-01-31T05:00:00Z"
        raise Refused(f"'{said}' is no {kind}", f"write it like '{sample}'; times without an offset are UTC")
    if kind == "timestamp" and re.search(r"[+-][0-9]{2}:[0-9]{2}$", said[10:]):
        return Value(f"timestamp{text(said.replace('T', ' '))}", "timestamp", constant=said, name=said)
    return Value(literal(said, kind), kind, constant=said, name=said)  # type: ignore[arg-type]


def on_calendar(said: str) -> bool:
    """Whether the calendar has this day and the clock this time, in the years 1 to 9999."""
    try:
        datetime.fromisoformat(said)
    except ValueError:
        return False
    return True


def cast(value: Value, to: exp.DataType) -> Value:
    """A value in another type."""
    if (make := CASTS.get(type_name(to))) is None:
        raise Refused(f"a cast to {type_name(to).lower()}", CASTABLE)
    return make(value if value.kind != "null" else Value("cast(null as string)", "string"), to)


def type_name(to: exp.DataType) -> str:
    """The name of a type, as sqlglot has it."""
    return str(getattr(to.this, "name", to.this))


def _spelled(value: Value, kind: str, *, to: str = "") -> str:
    trimmed = f"trim({value.sql})"
    spelled = f"{trimmed} rlike {text(_SPELLED[kind])}"
    if kind in _TIMES:
        spelled += f" and not {trimmed} like '0000%'"
    return f"case when {spelled} then try_cast({trimmed} as {to or kind}) end"


def _refuse(value: Value, to: str, fix: str) -> Refused:
    return Refused(f"{value.described()}, which is not cast to {to}", fix)


def _whole(value: Value, to: exp.DataType) -> Value:
    name = to.this.name
    most = min(_WHOLE[name], LARGEST_INTEGER if value.kind in ("string", "exact") else 2**63)
    if value.kind == "string":
        within = _spelled(value, "bigint")
        return exact(within if name == "BIGINT" else f"try_cast({within} as {name.lower()})", most)
    sql = value.sql
    if value.kind == "exact":
        if value.scale:
            raise _refuse(value, "a whole number", "compute with whole numbers, or cast it to double first")
        sql, most = value.decimal if value.most > LARGEST_INTEGER else sql, min(most, value.most)
    elif value.kind == "double":
        sql = f"case when abs({sql}) < {2.0**63!r}D then {sql} end"
    elif value.kind == "boolean":
        most = 1
    else:
        raise _refuse(value, name.lower(), "use unix_date, unix_micros or year(...)")
    return exact(f"try_cast({sql} as {name.lower()})", most)


def _double(value: Value, _: exp.DataType) -> Value:
    if value.number:
        return Value(value.double, "double")
    if value.kind == "boolean":
        return Value(f"(case when {value.sql} then 1.0D when not {value.sql} then 0.0D end)", "double")
    if value.kind != "string":
        raise _refuse(value, "double", "cast text or a number")
    found = _spelled(value, "double")
    return Value(f"(case when abs({found}) < double('inf') then {found} end)", "double")


def _decimal(value: Value, to: exp.DataType) -> Value:
    given = [int(item.this.name) for item in to.expressions] or [10]
    digits, scale = given[0], given[1] if len(given) > 1 else 0
    if digits > MOST_DIGITS or scale > min(digits, DEEPEST):
        what = f"a cast to decimal({digits}, {scale})"
        raise Refused(what, f"use at most {MOST_DIGITS} digits, {DEEPEST} of them behind the point")
    name, most = f"decimal({digits}, {scale})", 10**digits - 1
    if value.kind == "exact":
        sql = value.sql if not value.scale else value.decimal
        most = min(most, -(-value.most * 10**scale // 10**value.scale))
    elif value.kind == "double":
        sql, most = _of_double(value.sql, scale), min(most, 10 ** (28 + scale) - 1)
    elif value.kind == "string" and scale <= FINEST:
        sql = _spelled(value, "decimal", to="decimal(38, 6)")
    else:
        raise _refuse(value, name, f"cast a number, or text with at most {FINEST} digits behind the point")
    return exact(f"try_cast({sql} as {name})", most, scale)


def _of_double(sql: str, scale: int) -> str:
    """A double below 10^28 as a decimal, rounded at its last digit as doubles are: engines differ here."""
    whole = f"cast({sql} as bigint)"
    if scale:
        part = f"cast(round(({sql} - cast({whole} as double)) * 1{'0' * scale}.0D) as bigint)"
        unit = f"cast('0.{'0' * (scale - 1)}1' as decimal({scale + 1}, {scale}))"
        made = f"cast({whole} as decimal(19, 0)) + cast({part} as decimal({scale + 1}, 0)) * {unit}"
    else:
        made = f"cast(cast(round({sql}) as bigint) as decimal(19, 0))"
    high, half = f"cast({sql} / {2.0**62!r}D as bigint)", f"cast('{2**62}' as decimal(19, 0))"
    rest = f"cast({sql} - cast({high} as double) * {2.0**62!r}D as bigint)"
    great = f"cast({high} as decimal(10, 0)) * {half} + cast({rest} as decimal(19, 0))"
    small = f"when abs({sql}) < 9e18D then cast({made} as decimal(38, {scale}))"
    return f"case {small} when abs({sql}) < 1e28D then cast({great} as decimal(38, {scale})) end"


def _text(value: Value, _: exp.DataType) -> Value:
    if value.kind not in ("string", "boolean", "date") and not value.whole:
        fix = "engines write numbers with a fraction and times differently: compare the value itself"
        raise _refuse(value, "string", fix)
    constant = value.constant if value.kind == "string" else None
    return Value(f"cast({value.sql} as string)", "string", constant=constant)


def _boolean(value: Value, _: exp.DataType) -> Value:
    if value.kind == "boolean":
        return value
    if value.kind != "string":
        raise _refuse(value, "boolean", "compare it, as in a <> 0")
    said = f"lower(trim({value.sql}))"
    return Value(f"(case when {said} = 'true' then true when {said} = 'false' then false end)", "boolean")


def _time(kind: Literal["date", "timestamp"], other: str) -> Cast:
    def made(value: Value, _: exp.DataType) -> Value:
        if value.kind == "string":
            if value.constant is not None:
                return moment(value, kind)
            return Value(f"({_spelled(value, kind)})", kind)
        if value.kind not in _TIMES:
            raise _refuse(value, kind, f"cast text or a {other}")
        return Value(f"cast({value.sql} as {kind})", kind)

    return made


CASTS: Final[dict[str, Cast]] = {
    **dict.fromkeys(_WHOLE, _whole),
    "DOUBLE": _double,
    "DECIMAL": _decimal,
    "TEXT": _text,
    "VARCHAR": _text,
    "BOOLEAN": _boolean,
    "DATE": _time("date", "timestamp"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ"), _time("timestamp", "date")),
}
"""By sqlglot's name of the type."""
