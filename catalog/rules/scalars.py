"""Arguments of rules that can be checked without a contract: flags, counts, shares, numbers, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from catalog.rules.mistake import Mistake, number


def name(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A name."""
    if not isinstance(value, str) or not value:
        yield Mistake(f"{name} is {value!r}", name, "write a name")


def names(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A list of names."""
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        yield Mistake(f"{name} is no list of names", name, "write a list, such as [a, b]")


def tolerance(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A number, 0 or more."""
    if not number(value) or value < 0:
        yield Mistake(f"{name} is {value!r}", name, "write a number, 0 or more")


def flag(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """True or false."""
    if not isinstance(value, bool):
        yield Mistake(f"{name} is {value!r}", name, "use true or false")


def values(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A list of values, not empty."""
    if not isinstance(value, list) or not value:
        yield Mistake(f"{name} is no list of values", name, "write a list, such as [a, b]")


def share(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A share above 0."""
    if not (type(value) in (int, float) and 0 < value <= 1):
        yield Mistake(f"{name} is {value!r}", name, "write a share above 0 and at most 1, such as 0.95")


def count(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A whole number, 0 or more."""
    if type(value) is not int or value < 0:
        yield Mistake(f"{name} is {value!r}", name, "use a whole number, 0 or more")


def several(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A whole number, 1 or more."""
    if type(value) is not int or value < 1:
        yield Mistake(f"{name} is {value!r}", name, "use a whole number, 1 or more")


def allowed(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A share below 1."""
    if not (type(value) in (int, float) and 0 <= value < 1):
        yield Mistake(f"{name} is {value!r}", name, "write a share from 0 to less than 1, such as 0.1")


def a_number(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A number."""
    if not number(value):
        yield Mistake(f"{name} is {value!r}", name, "write a number")


def time_zone(_: object, __: object, name: str, value: Any) -> Iterator[Mistake]:
    """A time zone of the IANA database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        yield Mistake(
            f"{name} {value!r} is no time zone",
            name,
            "write one of the IANA database, such as America/New_York",
        )
