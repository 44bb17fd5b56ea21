"""Expressions of SQL, read strictly and written anew: operator by operator, a kind for each (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from catalog.expressions.arithmetic import ARITHMETIC, Operation, negated
from catalog.expressions.calls import called
from catalog.expressions.casts import cast
from catalog.expressions.parse import check_parts, function_name, shown
from catalog.expressions.patterns import PORTABLE, portable, unportable_pattern
from catalog.expressions.spark_sql import text
from catalog.expressions.unite import compared, united
from catalog.expressions.values import Refused, Value, of_digits, of_real, of_text

if TYPE_CHECKING:
    from sqlglot import exp


class Scope(Protocol):
    """What an expression may use: the columns of its rows, and in a query more."""

    def column(self, node: exp.Expr) -> Value:
        """The column that is named."""

    def special(self, node: exp.Expr) -> Value | None:
        """The value of what only a query can hold, such as an aggregate; None of any other node."""


_UNITS: Final = ("second", "minute", "hour", "day", "week")
TRUTH: Final = ("boolean", "null")
_PARTS: Final = frozenset({"this", "expression", "expressions"})
_MORE_PARTS: Final = {
    "Column": frozenset({"table", "db", "catalog"}),
    "Literal": frozenset({"is_string"}),
    "Cast": frozenset({"to", "safe"}),
    "TryCast": frozenset({"to", "safe"}),
    "Between": frozenset({"low", "high"}),
    "Like": frozenset({"negate"}),
    "Case": frozenset({"ifs", "default"}),
    "Interval": frozenset({"unit"}),
    "Div": frozenset({"safe", "typed"}),
    "DPipe": frozenset({"safe"}),
}
"""Further parts of a node, by its name, that are read below."""


def value(node: exp.Expr, scope: Scope) -> Value:
    """An expression.

    Raises:
        Refused: It is none; what is wrong, where, and what to write instead.
    """
    try:
        found = scope.special(node)
        return _made(node, scope) if found is None else found
    except Refused as refused:
        refused.node = refused.node or node
        raise


def _made(node: exp.Expr, scope: Scope) -> Value:
    name = type(node).__name__
    if (made := _NODES.get(name)) is None:
        fix = "use comparisons, and, or, in, between, like, case, and docs/sql.md"
        raise Refused(f"{shown(node)} ({name}) is nothing that a condition can hold", fix)
    check_parts(node, _PARTS | _MORE_PARTS.get(name, frozenset()))
    return made(node, scope)


def _literal(node: exp.Expr, _: Scope) -> Value:
    return of_text(node.name) if node.args.get("is_string", True) else of_digits(node.name)


def _boolean(node: exp.Expr, _: Scope) -> Value:
    word = "true" if node.this else "false"
    return Value(word, "boolean", name=word)


def _joined(node: exp.Expr, scope: Scope) -> Value:
    """Literals side by side are one."""
    parts = [value(item, scope) for item in node.expressions]
    if any(part.constant is None or part.kind != "string" for part in parts):
        raise Refused("texts side by side", "use concat(a, b)")
    return of_text("".join(part.constant or "" for part in parts))


def _cast(node: Any, scope: Scope) -> Value:
    inner = node.this
    if type(inner).__name__ == "Literal" and not inner.args.get("is_string") and node.to.is_type("double"):
        return of_real(inner.name)  # 5D
    return cast(value(inner, scope), node.to)


def truth(node: exp.Expr, scope: Scope) -> str:
    """The SQL of what is true or false."""
    found = value(node, scope)
    if found.kind not in TRUTH:
        what = f"{found.described()}, in a place for something that is true or false"
        raise Refused(what, "compare it with something")
    return found.sql


def _both(word: str) -> Callable[[exp.Expr, Scope], Value]:
    return lambda node, scope: Value(
        f"({truth(node.this, scope)} {word} {truth(node.expression, scope)})", "boolean"
    )


def _not(node: exp.Expr, scope: Scope) -> Value:
    return Value(f"(not {truth(node.this, scope)})", "boolean")


def _sign(sign: str) -> Callable[[exp.Expr, Scope], Value]:
    return lambda node, scope: compared(value(node.this, scope), sign, value(node.expression, scope))


def _computed(make: Operation) -> Callable[[exp.Expr, Scope], Value]:
    return lambda node, scope: make(value(node.this, scope), value(node.expression, scope))


def _between(node: exp.Expr, scope: Scope) -> Value:
    found, low, high = (value(node.args[name], scope) for name in ("this", "low", "high"))
    return Value(f"({compared(found, '>=', low).sql} and {compared(found, '<=', high).sql})", "boolean")


def _in(node: exp.Expr, scope: Scope) -> Value:
    found = value(node.this, scope)
    parts = [compared(found, "=", value(item, scope)).sql for item in node.expressions]
    if not parts:
        raise Refused("in without a list", "write a in (1, 2)")
    return Value(f"({' or '.join(parts)})", "boolean")


def _is(node: exp.Expr, scope: Scope) -> Value:
    if type(node.expression).__name__ == "Null":
        return Value(f"({value(node.this, scope).sql} is null)", "boolean")
    if type(node.expression).__name__ == "Boolean":
        return Value(f"({truth(node.this, scope)} <=> {truth(node.expression, scope)})", "boolean")
    raise Refused(shown(node), "write is null, or is true")


def _like(node: exp.Expr, scope: Scope) -> Value:
    said, pattern = value(node.this, scope), value(node.expression, scope)
    if said.kind != "string" or pattern.constant is None or pattern.kind != "string":
        fix = "write a like '...', where % is any text and _ any character"
        raise Refused(f"LIKE asks text for a pattern, and {said.described()}", fix)
    if "\\" in pattern.constant:
        what = f"{pattern.constant!r} holds a backslash, which engines read differently in LIKE"
        raise Refused(what, "use rlike")
    return Value(f"({said.sql} {'not ' if node.args.get('negate') else ''}like {pattern.sql})", "boolean")


def _rlike(node: exp.Expr, scope: Scope) -> Value:
    said, pattern = value(node.this, scope), value(node.expression, scope)
    if said.kind != "string":
        raise Refused(f"RLIKE asks text, and {said.described()}", "compare it with a number or a time")
    return Value(f"({said.sql} rlike {pattern_of(pattern)})", "boolean")


def pattern_of(value: Value) -> str:
    """The SQL of a pattern that is written out."""
    if value.constant is None or value.kind != "string":
        raise Refused("a pattern that is no literal", "write it out")
    if (found := unportable_pattern(value.constant)) is not None:
        what = f"the pattern {value.constant!r}: {found!r} does not mean the same on every engine"
        raise Refused(what, PORTABLE)
    return text(portable(value.constant))


def _case(node: exp.Expr, scope: Scope) -> Value:
    on = None if node.this is None else value(node.this, scope)
    whens = [
        truth(item.this, scope) if on is None else compared(on, "=", value(item.this, scope)).sql
        for item in node.args["ifs"]
    ]
    default = node.args.get("default")
    thens = [value(item.args["true"], scope) for item in node.args["ifs"]]
    thens.append(Value("null", "null") if default is None else value(default, scope))
    (*chosen, other), like = united(thens)
    sql = " ".join(f"when {when} then {then}" for when, then in zip(whens, chosen, strict=True))
    return like(f"case {sql} else {other} end")


def _interval(node: exp.Expr, _: Scope) -> Value:
    unit = node.args["unit"].name.lower().removesuffix("s") if node.args.get("unit") else ""
    count = str(getattr(node.this, "name", ""))
    if unit not in _UNITS or not count.isdecimal() or len(count) > len("99999"):
        raise Refused(shown(node), f"write interval '1' hour, in units of {', '.join(_UNITS)}")
    days = {"day": 1, "week": 7}.get(unit)
    sql = f"interval '{count}' {unit}" if days is None else f"interval '{int(count) * days}' day"
    return Value(sql, "interval", constant="day" if days else unit, name=f"{count} {unit}")


def _concat(node: exp.Expr, scope: Scope) -> Value:
    return called("concat", [value(item, scope) for item in (node.this, node.expression)], pattern_of)


def _called(node: exp.Expr, scope: Scope) -> Value:
    return called(function_name(node), [value(item, scope) for item in node.expressions], pattern_of)


_SIGNS: Final = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NullSafeEQ": "<=>"}
_NODES: Final[dict[str, Callable[[Any, Scope], Value]]] = {
    **{name: _sign(sign) for name, sign in _SIGNS.items()},
    **{name: _computed(make) for name, make in ARITHMETIC.items()},
    "Column": lambda node, scope: scope.column(node),
    "Literal": _literal,
    "RawString": lambda node, _: of_text(node.name),
    "Concat": _joined,
    "Null": lambda *_: Value("null", "null", name="NULL"),
    "Boolean": _boolean,
    "Paren": lambda node, scope: value(node.this, scope),
    "Neg": lambda node, scope: negated(value(node.this, scope)),
    "Cast": _cast,
    "TryCast": _cast,
    "And": _both("and"),
    "Or": _both("or"),
    "Not": _not,
    "Between": _between,
    "In": _in,
    "Is": _is,
    "Like": _like,
    "RegexpLike": _rlike,
    "Case": _case,
    "Interval": _interval,
    "DPipe": _concat,
    "Anonymous": _called,
}
