"""Arithmetic of row conditions: exact for exact numbers, NULL for a division by zero; times and intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from catalog.expressions.values import FINEST, MOST_DIGITS, Refused, Value, exact

Operation = Callable[[Value, Value], Value]


def _sum(sign: str) -> Operation:
    def added(left: Value, right: Value) -> Value:
        if "interval" in (left.kind, right.kind):
            return _moved(left, sign, right)
        _numbers(left, sign, right)
        if "double" in (left.kind, right.kind):
            return Value(f"({left.double} {sign} {right.double})", "double")
        scale = max(left.scale, right.scale)
        most = left.most * 10 ** (scale - left.scale) + right.most * 10 ** (scale - right.scale)
        return _exact(left, sign, right, most, scale)

    return added


def _product(left: Value, right: Value) -> Value:
    _numbers(left, "*", right)
    if "double" in (left.kind, right.kind):
        return Value(f"({left.double} * {right.double})", "double")
    return _exact(left, "*", right, left.most * right.most, left.scale + right.scale)


def _exact(left: Value, sign: str, right: Value, most: int, scale: int) -> Value:
    """An exact result.

    With a fraction it is also computed in doubles: engines convert a decimal to one differently.
    """
    real = f"({left.double} {sign} {right.double})" if scale else ""
    whole = max(left.digits - left.scale, right.digits - right.scale)
    typed = left.digits + right.digits + 1 if sign == "*" else whole + scale + 1
    if scale > FINEST and typed > MOST_DIGITS:  # Spark then leaves digits off behind the point
        what = f"a number in it may need {typed} digits, {scale} of them behind the point"
        raise Refused(what, "cast to a decimal with fewer, or to double")
    return exact(f"{left.decimal} {sign} {right.decimal}", most, scale, real=real)


def _quotient(left: Value, right: Value) -> Value:
    _numbers(left, "/", right)
    return Value(f"({left.double} / nullif({right.double}, 0.0D))", "double")


def _divided(sign: str) -> Operation:
    def rest(left: Value, right: Value) -> Value:
        for one in (left, right):
            if one.kind != "exact" or one.scale:
                what = f"{sign} divides whole numbers, and {one.described()}"
                raise Refused(what, "use /, or cast(... as bigint)")
            if one.most >= 2**63:
                what = f"{sign} of a number that may have more than 18 digits"
                raise Refused(what, "divide before you multiply, or use /")
        whole, by = (f"cast({one.sql} as bigint)" for one in (left, right))
        most = left.most if sign == "div" else min(left.most, right.most)
        return exact(f"{whole} {sign} nullif({by}, 0L)", most)

    return rest


def _numbers(left: Value, sign: str, right: Value) -> None:
    for one in (left, right):
        if one.kind in ("date", "timestamp"):
            fix = "use datediff(later, earlier), date_add(day, 1), unix_micros(at), or + interval '1' hour"
            raise Refused(f"{sign} is no arithmetic of times, and {one.described()}", fix)
        if not one.number:
            fix = "cast it, as in cast(a as bigint): NULL where it is no number"
            raise Refused(f"{sign} computes with numbers, and {one.described()}", fix)


def _moved(left: Value, sign: str, right: Value) -> Value:
    moment, interval = (left, right) if right.kind == "interval" else (right, left)
    if moment.kind not in ("date", "timestamp") or (sign == "-" and moment is right):
        raise Refused(
            f"an interval is added to a time, and {moment.described()}", "write at + interval '1' hour"
        )
    if moment.kind == "date" and interval.constant != "day":
        fix = "use interval '1' day, or cast(day as timestamp)"
        raise Refused(f"{moment.described()}, which has days alone", fix)
    moved = f"({moment.sql} {sign} {interval.sql})"
    return Value(f"cast({moved} as date)" if moment.kind == "date" else moved, moment.kind)


ARITHMETIC: Final[dict[str, Operation]] = {
    "Add": _sum("+"),
    "Sub": _sum("-"),
    "Mul": _product,
    "Div": _quotient,
    "IntDiv": _divided("div"),
    "Mod": _divided("%"),
}
"""By the name of sqlglot's node."""


def negated(value: Value) -> Value:
    """The same with the other sign."""
    if value.kind == "double":
        return Value(f"(- {value.sql})", "double", name=f"-{value.name}" if value.name else "")
    if value.kind != "exact":
        raise Refused(f"- is the sign of a number, and {value.described()}", "leave it out")
    constant = f"-{value.constant}" if value.constant else None
    return Value(
        f"(- {value.sql})", "exact", value.most, value.scale, f"(- {value.real})", constant, constant or ""
    )
