"""Two or more values of a condition that are compared, or of which one is chosen: their kinds have to fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from catalog.expressions.casts import moment
from catalog.expressions.values import Refused, Value, alike, exact

_TIMES = ("date", "timestamp")


def compared(left: Value, sign: str, right: Value) -> Value:
    """Whether two values compare so."""
    left, right = fitted(left, right)
    if left.number and right.number:
        one, other = alike(left, right)
    elif "null" in (left.kind, right.kind) or left.kind == right.kind:
        one, other = left.sql, right.sql
    else:
        raise Refused(f"{left.described()} and {right.described()}: they are not compared", _fix(left, right))
    return Value(f"({one} {sign} {other})", "boolean")


def fitted(left: Value, right: Value) -> tuple[Value, Value]:
    """Two values, fitted to each other.

    A text literal beside a time becomes a time, a date beside a timestamp its midnight (UTC).
    """
    kinds = (left.kind, right.kind)
    if left.kind in _TIMES and right.kind == "string" and right.constant is not None:
        return left, moment(right, left.kind)
    if right.kind in _TIMES and left.kind == "string" and left.constant is not None:
        return moment(left, right.kind), right
    if kinds in (_TIMES, _TIMES[::-1]):
        return _as_timestamp(left), _as_timestamp(right)
    return left, right


def _as_timestamp(value: Value) -> Value:
    if value.kind != "date":
        return value
    return replace(value, kind="timestamp", sql=f"cast({value.sql} as timestamp)")


def _fix(left: Value, right: Value) -> str:
    both = (left, right)
    text = next((item for item in both if item.kind == "string"), None)
    number = next((item for item in both if item.number), None)
    if text is None or number is None:
        return "compare values of one type, or cast one of them"
    cast = f"cast({text.name or '...'} as bigint), which is NULL where the text is no number"
    if number.constant is not None:
        return f"write '{number.constant}', or {cast}"
    return f"write {cast}" if text.constant is None else "write the number without quotes"


def united(values: Sequence[Value]) -> tuple[list[str], Callable[[str], Value]]:
    """Values of which one is chosen: their SQL in one type, and what makes a value of the chosen SQL."""
    first = next((item for item in values if item.kind != "null"), values[0])
    pairs = [fitted(first, item) for item in values]
    first = next((one for one, item in pairs if one.kind == "timestamp" == item.kind), first)
    fit = [fitted(first, item)[1] for item in values]
    for item in fit:
        if item.kind not in (first.kind, "null") and not (item.number and first.number):
            what = f"{first.described()} and {item.described()}: one of them is chosen"
            raise Refused(what, _fix(first, item))
    if not first.number:
        return [item.sql for item in fit], lambda sql: Value(f"({sql})", first.kind)
    numbers = [item for item in fit if item.number]
    if any(item.kind == "double" for item in numbers):
        doubles = [item.comparable if item.number else "null" for item in fit]
        return doubles, lambda sql: Value(f"({sql})", "double")
    scale = max(item.scale for item in numbers)
    most = max(item.most * 10 ** (scale - item.scale) for item in numbers)
    like = exact("0", most, scale)
    decimal = f"decimal({like.digits}, {scale})"
    parts = [f"cast({item.sql} as {decimal})" if item.number else "null" for item in fit]
    return parts, lambda sql: exact(sql, most, scale)
