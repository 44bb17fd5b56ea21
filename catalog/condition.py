"""Row conditions: Spark SQL over a row's own columns, read strictly and written anew, so that no data can make it fail.

What reaches an engine is made here, operator by operator, and never the text of a contract: what is not known is refused when the
contract is read. Types have to fit, whole numbers are computed exactly, and what only data can decide (a division by zero, a
cast of text) is NULL (docs/sql.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from catalog.condition_tree import parsed
from catalog.contract import Column
from catalog.document import suggest
from catalog.patterns import PORTABLE, portable, unportable_pattern
from catalog.spark_sql import condition_sql, text
from catalog.sql_call import called
from catalog.sql_casts import cast
from catalog.sql_numbers import ARITHMETIC, Operation, negated
from catalog.sql_parse import function_name
from catalog.sql_unite import compared, united
from catalog.sql_values import Refused, Value, of_column, of_digits, of_real, of_text

if TYPE_CHECKING:
    from sqlglot import exp

Columns = Mapping[str, Column]
_UNITS: Final = ("second", "minute", "hour", "day", "week")
_TRUTH: Final = ("boolean", "null")
_PARTS: Final = frozenset({"this", "expression", "expressions"})
_READ: Final = {
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
"""What else a node says, by its name, that is read below: what is not read would be left out in silence."""


def sql_of(condition: Any, columns: dict[str, Column]) -> str:
    """A row condition, as Spark SQL or the JSON of GX, as the SQL that an engine is asked.

    Raises:
        ValueError: It can't be read; the text says why.
    """
    try:
        return asked(condition_sql(condition, columns), tuple(columns.values()))
    except Refused as refused:
        what = f"{refused.what}: {refused.fix}"
        raise ValueError(what) from refused


@functools.lru_cache(maxsize=1024)
def asked(sql: str, columns: tuple[Column, ...]) -> str:
    """A condition's SQL as it is asked of an engine.

    Raises:
        Refused: It is none; what is wrong, and what to write instead.
    """
    found = value_of(sql, columns)
    if found.kind not in _TRUTH:
        raise Refused(f"the condition is {found.told()}, and neither true nor false", "compare it with something")
    return found.sql


def value_of(sql: str, columns: tuple[Column, ...]) -> Value:
    """An expression of any kind.

    Raises:
        Refused: It is none; what is wrong, and what to write instead.
    """
    return _value(parsed(f"({sql})"), {column.name: column for column in columns})


def _value(node: exp.Expr, columns: Columns) -> Value:
    made = _NODES.get(type(node).__name__)
    if made is None:
        what = f"{node.sql(dialect='spark')[:60]} ({type(node).__name__})"
        raise Refused(f"{what} is nothing that a condition can hold", "use comparisons, and, or, in, between, like, case, and docs/sql.md")
    if odd := {name for name, item in node.args.items() if item} - _READ.get(type(node).__name__, frozenset()) - _PARTS:
        raise Refused(
            f"{node.sql(dialect='spark')[:60]} ({', '.join(sorted(odd))})", "write it in plainer words; docs/sql.md says what can be used"
        )
    return made(node, columns)


def _column(node: exp.Expr, columns: Columns) -> Value:
    if node.args.get("table") or node.name not in columns:
        raise Refused(f"there is no column {node.sql(dialect='spark')!r}", suggest(node.name, columns))
    return of_column(columns[node.name])


def _literal(node: exp.Expr, _: Columns) -> Value:
    return of_text(node.name) if node.args.get("is_string", True) else of_digits(node.name)


def _joined(node: exp.Expr, columns: Columns) -> Value:
    """Literals side by side are one."""
    parts = [_value(item, columns) for item in node.expressions]
    if any(part.constant is None or part.kind != "string" for part in parts):
        raise Refused("texts side by side", "use concat(a, b)")
    return of_text("".join(part.constant or "" for part in parts))


def _cast(node: Any, columns: Columns) -> Value:
    inner = node.this
    if type(inner).__name__ == "Literal" and not inner.args.get("is_string") and node.to.is_type("double"):
        return of_real(inner.name)  # 5D
    return cast(_value(inner, columns), node.to)


def _truth(node: exp.Expr, columns: Columns) -> str:
    found = _value(node, columns)
    if found.kind not in _TRUTH:
        raise Refused(f"{found.told()}, and stands where something is true or false", "compare it with something")
    return found.sql


def _both(word: str) -> Callable[[exp.Expr, Columns], Value]:
    return lambda node, columns: Value(f"({_truth(node.this, columns)} {word} {_truth(node.expression, columns)})", "boolean")


def _not(node: exp.Expr, columns: Columns) -> Value:
    return Value(f"(not {_truth(node.this, columns)})", "boolean")


def _sign(sign: str) -> Callable[[exp.Expr, Columns], Value]:
    return lambda node, columns: compared(_value(node.this, columns), sign, _value(node.expression, columns))


def _computed(make: Operation) -> Callable[[exp.Expr, Columns], Value]:
    return lambda node, columns: make(_value(node.this, columns), _value(node.expression, columns))


def _between(node: exp.Expr, columns: Columns) -> Value:
    value, low, high = (_value(node.args[name], columns) for name in ("this", "low", "high"))
    return Value(f"({compared(value, '>=', low).sql} and {compared(value, '<=', high).sql})", "boolean")


def _in(node: exp.Expr, columns: Columns) -> Value:
    value = _value(node.this, columns)
    parts = [compared(value, "=", _value(item, columns)).sql for item in node.expressions]
    if not parts:
        raise Refused("in without a list", "write a in (1, 2)")
    return Value(f"({' or '.join(parts)})", "boolean")


def _is(node: exp.Expr, columns: Columns) -> Value:
    if type(node.expression).__name__ == "Null":
        return Value(f"({_value(node.this, columns).sql} is null)", "boolean")
    if type(node.expression).__name__ == "Boolean":
        return Value(f"({_truth(node.this, columns)} <=> {_truth(node.expression, columns)})", "boolean")
    raise Refused(node.sql(dialect="spark")[:60], "write is null, or is true")


def _like(node: exp.Expr, columns: Columns) -> Value:
    value, pattern = _value(node.this, columns), _value(node.expression, columns)
    if value.kind != "string" or pattern.constant is None or pattern.kind != "string":
        raise Refused(f"LIKE asks text for a pattern, and {value.told()}", "write a like '...', with % and _ where anything may stand")
    if "\\" in pattern.constant:
        raise Refused(f"{pattern.constant!r} holds a backslash, which engines read differently in LIKE", "use rlike")
    return Value(f"({value.sql} {'not ' if node.args.get('negate') else ''}like {pattern.sql})", "boolean")


def _rlike(node: exp.Expr, columns: Columns) -> Value:
    value, pattern = _value(node.this, columns), _value(node.expression, columns)
    if value.kind != "string":
        raise Refused(f"RLIKE asks text, and {value.told()}", "compare it with a number or a time")
    return Value(f"({value.sql} rlike {_pattern(pattern)})", "boolean")


def _pattern(value: Value) -> str:
    if value.constant is None or value.kind != "string":
        raise Refused("a pattern that is no literal", "write it out")
    if (found := unportable_pattern(value.constant)) is not None:
        raise Refused(f"the pattern {value.constant!r}: {found!r} does not mean the same on every engine", PORTABLE)
    return text(portable(value.constant))


def _case(node: exp.Expr, columns: Columns) -> Value:
    on = None if node.this is None else _value(node.this, columns)
    whens = [_truth(item.this, columns) if on is None else compared(on, "=", _value(item.this, columns)).sql for item in node.args["ifs"]]
    default = node.args.get("default")
    thens = [_value(item.args["true"], columns) for item in node.args["ifs"]]
    thens.append(Value("null", "null") if default is None else _value(default, columns))
    parts, like = united(thens)
    *chosen, other = parts
    sql = " ".join(f"when {when} then {then}" for when, then in zip(whens, chosen, strict=True))
    return like(f"case {sql} else {other} end")


def _interval(node: exp.Expr, _: Columns) -> Value:
    unit, count = str(node.args["unit"].name if node.args.get("unit") else "").lower().removesuffix("s"), getattr(node.this, "name", "")
    if unit not in _UNITS or not str(count).isdecimal() or len(str(count)) > len("99999"):
        raise Refused(node.sql(dialect="spark")[:60], f"write interval '1' hour, in units of {', '.join(_UNITS)}")
    days = {"day": 1, "week": 7}.get(unit)
    sql = f"interval '{count}' {unit}" if days is None else f"interval '{int(count) * days}' day"
    return Value(sql, "interval", constant="day" if days else unit, name=f"{count} {unit}")


def _concat(node: exp.Expr, columns: Columns) -> Value:
    return called("concat", [_value(item, columns) for item in (node.this, node.expression)], _pattern)


def _called(node: exp.Expr, columns: Columns) -> Value:
    return called(function_name(node), [_value(item, columns) for item in node.expressions], _pattern)


_SIGNS: Final = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NullSafeEQ": "<=>"}
_NODES: Final[dict[str, Callable[[Any, Columns], Value]]] = {
    **{name: _sign(sign) for name, sign in _SIGNS.items()},
    **{name: _computed(make) for name, make in ARITHMETIC.items()},
    "Column": _column,
    "Literal": _literal,
    "RawString": lambda node, _: of_text(node.name),
    "Concat": _joined,
    "Null": lambda *_: Value("null", "null", name="NULL"),
    "Boolean": lambda node, _: Value(str(bool(node.this)).lower(), "boolean", name=str(bool(node.this)).lower()),
    "Paren": lambda node, columns: _value(node.this, columns),
    "Neg": lambda node, columns: negated(_value(node.this, columns)),
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
