"""An expression as a value: its SQL, its kind, and, of an exact number, how great it can be (promise P5).

Integers of 64 bits wrap on one engine and fail on the other. So whole numbers and decimals are computed in
decimals that hold every digit. What could need more than 38 digits is refused when the contract is read: no
data makes a condition fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from catalog.contract import Column
from catalog.expressions.spark_sql import quoted, text

Kind = Literal["null", "boolean", "exact", "double", "string", "date", "timestamp", "interval", "days"]

LARGEST_INTEGER: Final = 10**18
"""A whole number of a table lies below it: 18 digits."""
MOST_DIGITS: Final = 38
FINEST: Final = 6
"""Digits behind the point that both engines keep, however many are before it."""
DEEPEST: Final = 9
"""Most digits behind the point of a decimal that is stored, cast to, or added up."""
LONGEST: Final = 2**18
"""Most characters of an expression's SQL, which repeats its parts, and so grows by a power of its depth."""
_IN_WORDS: Final[dict[str, str]] = {
    "exact": "a number",
    "double": "a number",
    "string": "text",
    "boolean": "a boolean",
    "date": "a date",
    "timestamp": "a timestamp",
    "interval": "an interval",
    "days": "a number",
    "null": "NULL",
}


class Refused(Exception):
    """What is wrong with an expression, and what to write instead."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what, fix)
        self.what, self.fix = what, fix
        self.node: Any = None
        """The innermost part of the SQL that it is about."""
        self.others: list[Refused] = []
        """What else is wrong beside it."""


def within(length: int, most: int) -> None:
    """Refuse SQL that is longer than an engine should read."""
    if length > most:
        fix = "compute its parts in a subquery, one on the other, and name them as columns"
        raise Refused(f"it takes more than {most // 1024} KiB of SQL to ask that", fix)


def refuse_all(found: list[Refused]) -> None:
    """Raise all that is wrong at once, where anything is."""
    if found:
        first, *others = found
        first.others += others
        raise first


@dataclass(frozen=True)
class Value:
    """An expression.

    Of an exact number `most` is the greatest it can be, counted in its last digit, and `scale` its digits
    behind the point.
    """

    sql: str
    kind: Kind
    most: int = 0
    scale: int = 0
    real: str = ""
    """Of an exact number: the same as a double."""
    constant: str | None = None
    """What a literal says."""
    name: str = ""
    """How the condition writes it."""

    def __post_init__(self) -> None:
        within(max(len(self.sql), len(self.real)), LONGEST)

    @property
    def number(self) -> bool:
        """Whether it is one."""
        return self.kind in ("exact", "double")

    @property
    def whole(self) -> bool:
        """Whether it is an exact number without a fraction."""
        return self.kind == "exact" and not self.scale

    def literal_of(self, least: int, end: int) -> int | None:
        """The whole number that a literal says, from `least` to below `end`; None where it is none."""
        number = int(self.constant) if self.whole and self.constant is not None else least - 1
        return number if least <= number < end else None

    @property
    def digits(self) -> int:
        """Of an exact number, at most."""
        return max(len(str(self.most)), self.scale, 1)

    @property
    def decimal(self) -> str:
        """An exact number as a decimal of its digits."""
        return f"cast({self.sql} as decimal({self.digits}, {self.scale}))"

    @property
    def double(self) -> str:
        """A number as a double; -0.0 is 0.0, which Sail tells apart."""
        return self.real if self.kind == "exact" else f"({self.sql} + 0.0D)"

    @property
    def canonical(self) -> str:
        """Its SQL for grouping, ordering and DISTINCT: a double with one NaN and one zero."""
        return self.sql if self.kind != "double" else f"(nanvl({self.sql}, double('NaN')) + 0.0D)"

    @property
    def comparable(self) -> str:
        """A number as a double to compare.

        A computed one may be a NaN with a sign, which Sail takes for the least number.
        """
        return self.double if self.plain or self.kind != "double" else self.canonical

    @property
    def plain(self) -> bool:
        """Whether it is a column or literal, and not computed."""
        return self.constant is not None or self.sql.endswith("`")

    def described(self) -> str:
        """What it is, in words."""
        return f"{self.name} is {_IN_WORDS[self.kind]}" if self.name else _IN_WORDS[self.kind]


def of_column(column: Column) -> Value:
    """A column."""
    name = quoted(column.name)
    if column.type == "integer":
        return Value(name, "exact", LARGEST_INTEGER, real=f"cast({name} as double)", name=column.name)
    return Value(name, column.type, name=column.name)


def of_digits(written: str) -> Value:
    """A number as it is written: exact, but for one with an exponent."""
    if not set(written) <= set("0123456789."):
        return of_real(written)
    whole, _, fraction = written.partition(".")
    most, scale = int(whole + fraction or "0"), len(fraction)
    real = f"{float(written)!r}D"
    found = Value(written, "exact", most, scale, real, constant=written, name=written)
    _check_digits(found)
    return replace(found, sql=f"cast('{written}' as decimal({found.digits}, {scale}))") if scale else found


def of_real(written: str) -> Value:
    """A number that is written as a double."""
    if not math.isfinite(float(written)):
        raise Refused(f"{written} is more than a double holds", "ask isnan(a), or abs(a) > 1e308")
    return Value(f"{float(written)!r}D", "double", constant=written, name=written)


def of_text(value: str) -> Value:
    """A text literal."""
    return Value(text(value), "string", constant=value, name=f"'{value}'")


def exact(sql: str, most: int, scale: int = 0, *, real: str = "") -> Value:
    """An exact number that is computed."""
    found = Value(f"({sql})", "exact", most, scale)
    _check_digits(found)
    return replace(found, real=real or _as_double(found))


def same_kind(value: Value, sql: str) -> Value:
    """The result of a function that gives a value of its argument's kind."""
    return exact(sql, value.most, value.scale) if value.kind == "exact" else Value(sql, value.kind)


def under(value: Value, sql: str, *, name: str | None = None) -> Value:
    """A computed value under other SQL, such as a column's name; it is no literal any more."""
    found = replace(value, sql=sql, constant=None, name=value.name if name is None else name)
    return replace(found, real=_as_double(found)) if found.kind == "exact" else found


def _as_double(value: Value) -> str:
    """An exact number as a double.

    Engines convert a decimal with a fraction differently, so the double is made of the whole number of its
    last digits. Above 10^16 a double has no fraction.
    """
    scale = value.scale
    if not scale or scale > DEEPEST:
        return f"cast({value.sql} as double)"
    narrow = f"try_cast({value.sql} as decimal({min(value.digits, 16 + scale)}, {scale}))"
    last = f"cast({narrow} * cast('1{'0' * scale}' as decimal({scale + 1}, 0)) as decimal(38, 0))"
    real = f"(cast({last} as double) / 1{'0' * scale}.0D)"
    if value.digits <= 16 + scale:
        return real
    return f"coalesce({real}, cast(cast({value.sql} as decimal(38, 0)) as double))"


def _check_digits(value: Value) -> None:
    """Refuse an exact number that a decimal may not hold."""
    if value.digits > MOST_DIGITS or (value.scale > FINEST and value.digits >= MOST_DIGITS):
        fix = "say that its parts are small, as by cast(a as int), or compute with cast(a as double)"
        raise Refused(f"a number in it may need {value.digits} digits, and 38 can be had", fix)


def alike(left: Value, right: Value) -> tuple[str, str]:
    """The SQL of two numbers to compare: exact where one decimal type holds both, else doubles."""
    if left.whole and right.whole:
        return left.sql, right.sql
    if left.kind == right.kind == "exact":
        before_point = max(one.digits - one.scale for one in (left, right))
        if before_point + max(left.scale, right.scale) <= MOST_DIGITS:
            return left.decimal, right.decimal
    return left.comparable, right.comparable
