"""Values beside one another in a row condition: compared, or of which one is chosen. Their kinds have to fit."""

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
        raise Refused(f"{left.told()} and {right.told()}: they are not compared", _fix(left, right))
    return Value(f"({one} {sign} {other})", "boolean")


def fitted(left: Value, right: Value) -> tuple[Value, Value]:
    """Two values, of which a text literal beside a time is one, and a date beside a timestamp its midnight (UTC)."""
    kinds = (left.kind, right.kind)
    if left.kind in _TIMES and right.kind == "string" and right.constant is not None:
        return left, moment(right, left.kind)
    if right.kind in _TIMES and left.kind == "string" and left.constant is not None:
        return moment(left, right.kind), right
    if kinds in (_TIMES, _TIMES[::-1]):
        one, other = (
            replace(item, kind="timestamp", sql=f"cast({item.sql} as timestamp)")
            if item.kind == "date"
            else item
            for item in (left, right)
        )
        return one, other
    return left, right


def _fix(left: Value, right: Value) -> str:
    both = (left, right)
    text = next((item for item in both if item.kind == "string"), None)
    number = next((item for item in both if item.number), None)
    if text is not None and number is not None:
        if number.constant is not None:
            return f"write '{number.constant}', or cast({text.name or '...'} as bigint), which is NULL where the text is no number"
        if text.constant is not None:
            return "write the number without quotes"
        return f"write cast({text.name or '...'} as bigint), which is NULL where the text is no number"
    return "compare values of one type, or cast one of them"


def united(values: Sequence[Value]) -> tuple[list[str], Callable[[str], Value]]:
    """Values of which one is chosen, each as SQL of one type, and what makes the chosen one of its SQL."""
    told = next((item for item in values if item.kind != "null"), values[0])
    pairs = [fitted(told, item) for item in values]
    told = next((one for one, item in pairs if one.kind == "timestamp" == item.kind), told)
    fit = [fitted(told, item)[1] for item in values]
    if odd := next(
        (item for item in fit if item.kind not in (told.kind, "null") and not (item.number and told.number)),
        None,
    ):
        raise Refused(f"{told.told()} and {odd.told()}: one of them is chosen", _fix(told, odd))
    if not told.number:
        return [item.sql for item in fit], lambda sql: Value(f"({sql})", told.kind)
    numbers = [item for item in fit if item.number]
    if any(item.kind == "double" for item in numbers):
        return [item.settled if item.number else "null" for item in fit], lambda sql: Value(
            f"({sql})", "double"
        )
    scale = max(item.scale for item in numbers)
    most = max(item.most * 10 ** (scale - item.scale) for item in numbers)
    like = exact("0", most, scale)
    parts = [
        f"cast({item.sql} as decimal({like.digits}, {scale}))" if item.number else "null" for item in fit
    ]
    return parts, lambda sql: exact(sql, most, scale)
