"""Aggregates of a query: exact sums, NaN above all numbers, equal results on both engines (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from catalog.expressions.calls import counted
from catalog.expressions.expression import truth, value
from catalog.expressions.functions import AGGREGATES
from catalog.expressions.parse import function_name
from catalog.expressions.values import DEEPEST, MOST_DIGITS, Refused, Value, exact, same_kind

if TYPE_CHECKING:
    from sqlglot import exp

    from catalog.expressions.expression import Scope

ROWS: Final = 10**10
"""Most rows that are added up or counted: a sum has room for so many."""
_ADDEND: Final = 10**27 - 1
"""The greatest number that is added up, counted in its last digit."""
_FLOATS: Final = "floating-point sums depend on the order of rows; cast to decimal first"
_COUNTING: Final = ("count_if", "median", "percentile")
"""Aggregates that repeated rows change and that take no DISTINCT."""
_QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Call:
    """A call of a function over several rows."""

    name: str
    arguments: Sequence[exp.Expr]
    of: Callable[[exp.Expr], Value]
    """Reads an argument."""
    keep: Callable[[str], str]
    """Gives an expression over the rows a name, or leaves it as it is."""
    tail: str = ""
    """What follows the call: a filter, a window."""
    each: str = "*"
    """What count(*) counts."""

    def made(self, function: str, argument: str) -> str:
        """The call of a function of one argument."""
        return f"{function}({argument}){self.tail}"


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is the call of an aggregate, with its filter or without."""
    inner = node.this if type(node).__name__ == "Filter" else node
    return function_name(inner) in AGGREGATES


def aggregated(call: Call) -> Value:
    """The result of an aggregate."""
    name = call.name
    if name == "count":
        return _count(call)
    arguments, distinct = _arguments(call)
    if distinct and name in _COUNTING:
        raise Refused(f"{name}(distinct ...)", "ask it of (select distinct ...)")
    wanted = 2 if name == "percentile" else 1
    counted(name, len(arguments), wanted, wanted)
    given = call.of(arguments[0])
    if name in ("min", "max"):
        return _extreme(call, given)
    if name in ("sum", "avg", "mean"):
        return _added(call, given, distinct)
    if name == "percentile":
        share = call.of(arguments[1])
        return _percentile(call, given, float(share.constant or "nan") if share.number else -1.0)
    if name == "median":
        return _percentile(call, given, 0.5)
    if given.kind not in ("boolean", "null"):
        raise Refused(f"{name}() asks a condition, and {given.described()}", "compare it with something")
    made = call.made(name, call.keep(given.sql))
    return exact(made, ROWS) if name == "count_if" else Value(made, "boolean")


def _arguments(call: Call) -> tuple[list[Any], str]:
    """The arguments, and the word DISTINCT before them."""
    parts = list(call.arguments)
    if parts and type(parts[0]).__name__ == "Distinct":
        return parts[0].expressions, "distinct "
    return parts, ""


def _count(call: Call) -> Value:
    parts, distinct = _arguments(call)
    if not parts:
        raise Refused("count() of nothing", "write count(*)")
    if not distinct and type(parts[0]).__name__ == "Star":
        return exact(call.made("count", call.each), ROWS)
    counted_parts = ", ".join(call.keep(call.of(item).canonical) for item in parts)
    return exact(call.made("count", distinct + counted_parts), ROWS)


def _extreme(call: Call, given: Value) -> Value:
    if given.kind in ("null", "interval"):
        raise Refused(f"{call.name}() of {given.described()}", "ask it of a column")
    if given.kind != "double":
        return same_kind(given, call.made(call.name, call.keep(given.sql)))
    # Sail begins a group's extreme at the greatest finite double, and loses infinities beside it.
    # So the extreme of a code decides: NaN 3, inf 2, finite 1, -inf 0.
    number = given.canonical
    infinite = f"when {number} = double('inf') then 2 when {number} = double('-inf') then 0"
    code = f"case when isnan({number}) then 3 {infinite} else 1 end"
    value, code = call.keep(number), call.keep(f"case when {number} is not null then {code} end")
    finite = call.made(call.name, f"case when {code} = 1 then {value} end")
    odd = "when 3 then double('NaN') when 2 then double('inf') when 0 then double('-inf')"
    return Value(f"(case {call.made(call.name, code)} {odd} else {finite} end)", "double")


def _added(call: Call, given: Value, distinct: str) -> Value:
    name = call.name
    if given.kind == "double":
        raise Refused(f"{name}() of floating-point numbers", _FLOATS)
    if given.kind != "exact":
        raise Refused(
            f"{name}() adds up numbers, and {given.described()}", "cast it, as in cast(a as bigint)"
        )
    if given.scale > DEEPEST:
        what = f"{name}() of numbers with {given.scale} digits behind the point"
        raise Refused(what, f"cast to decimal(38, {DEEPEST}) first")
    decimal = f"decimal({MOST_DIGITS}, {given.scale})"
    number = call.keep(f"cast({given.sql} as {decimal})")
    if given.most <= _ADDEND:
        total = call.made("sum", distinct + number)
    else:  # Sail wraps such a sum, and Spark fails
        bound = f"cast('{Decimal(_ADDEND).scaleb(-given.scale):f}' as {decimal})"
        within = f"{call.made('max', f'abs({number})')} <= {bound}"
        number = f"case when abs({number}) <= {bound} then {number} end"
        total = f"case when {within} then {call.made('sum', distinct + number)} end"
    added = exact(total, min(given.most, _ADDEND) * ROWS, given.scale)
    if name == "sum":
        return added
    count = f"cast({call.made('count', distinct + number)} as double)"
    return Value(f"({added.real} / nullif({count}, 0.0D))", "double")


def _percentile(call: Call, given: Value, share: float) -> Value:
    if share not in _QUARTERS:
        what = f"{call.name}() at another share than {', '.join(map(str, _QUARTERS))}"
        raise Refused(what, "engines round others differently")
    if not given.whole:
        kind = "a number with a fraction" if given.number else given.described()
        example = "ask whole numbers, as in median(cast(a * 1000 as bigint)) / 1000"
        fix = f"engines round between two of them differently: {example}"
        raise Refused(f"{call.name}() takes whole numbers, and this is {kind}", fix)
    whole = call.keep(f"cast({given.decimal} as decimal({MOST_DIGITS}, 0))")
    largest = call.made("max", f"abs({whole})")
    made = call.made("percentile", f"cast(try_cast({whole} as bigint) as double), {share}")
    return Value(f"(case when {largest} < 2251799813685248 then {made} end)", "double")


def call_of(node: Any, of: Scope, keep: Callable[[str], str]) -> Call:
    """The call of an aggregate, with its filter or without."""
    tail = ""
    if type(node).__name__ == "Filter":
        tail, node = f" filter (where {keep(truth(node.expression.this, of))})", node.this
    return Call(function_name(node), node.expressions, lambda item: value(item, of), keep, tail)
