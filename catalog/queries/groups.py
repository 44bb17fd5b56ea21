"""Aggregates of a query: exact sums, NaN above all numbers, and what both engines answer alike (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from catalog.expressions.calls import counted
from catalog.expressions.expression import truth, value
from catalog.expressions.functions import AGGREGATES
from catalog.expressions.parse import function_name
from catalog.expressions.values import DEEPEST, MOST_DIGITS, Refused, Value, exact

if TYPE_CHECKING:
    from sqlglot import exp

    from catalog.expressions.expression import Scope

ROWS: Final = 10**10
"""Most rows that are added up or counted; so much room is left in a sum."""
_ADDEND: Final = 10**27 - 1
"""The greatest that is added up, counted in its last digit."""
_FLOATS: Final = "floating-point sums depend on the order of rows; cast to decimal first"
_COUNTING: Final = ("count_if", "median", "percentile")
"""Those that rows which repeat change, beside sums, means and counts, which know DISTINCT."""
_QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Call:
    """A call of a function over several rows: how its arguments are read and kept, and what stands behind it."""

    name: str
    arguments: Sequence[exp.Expr]
    of: Callable[[exp.Expr], Value]
    keep: Callable[[str], str]
    tail: str = ""
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
    """What an aggregate makes of rows."""
    name, arguments, distinct = call.name, list(call.arguments), ""
    if name == "count":
        return _count(call)
    if arguments and type(arguments[0]).__name__ == "Distinct":
        arguments, distinct = list(arguments[0].expressions), "distinct "
        if name in _COUNTING:
            raise Refused(f"{name}(distinct ...)", "ask it of (select distinct ...)")
    wanted = 2 if name == "percentile" else 1
    counted(name, len(arguments), wanted, wanted)
    given = call.of(arguments[0])
    if name in ("min", "max"):
        return _extreme(call, given)
    if name in ("sum", "avg", "mean"):
        return _added(call, given, distinct)
    if name in ("percentile", "median"):
        return _percentile(
            call,
            given,
            call.of(arguments[1]) if name == "percentile" else Value("0.5", "exact", 5, 1, constant="0.5"),
        )
    if given.kind not in ("boolean", "null"):
        raise Refused(f"{name}() asks a condition, and {given.told()}", "compare it with something")
    made = call.made(name, call.keep(given.sql))
    return exact(made, ROWS) if name == "count_if" else Value(made, "boolean")


def _count(call: Call) -> Value:
    parts = list(call.arguments)
    if parts and type(parts[0]).__name__ == "Star":
        return exact(call.made("count", call.each), ROWS)
    distinct = ""
    if parts and type(parts[0]).__name__ == "Distinct":
        parts, distinct = parts[0].expressions, "distinct "
    if not parts:
        raise Refused("count() of nothing", "write count(*)")
    kept = ", ".join(call.keep(call.of(item).canonical) for item in parts)
    return exact(call.made("count", f"{distinct}{kept}"), ROWS)


def _extreme(call: Call, given: Value) -> Value:
    if given.kind in ("null", "interval"):
        raise Refused(f"{call.name}() of {given.told()}", "ask it of a column")
    if given.kind != "double":
        made = call.made(call.name, call.keep(given.sql))
        return exact(made, given.most, given.scale) if given.kind == "exact" else Value(made, given.kind)
    number = (
        given.canonical
    )  # Sail begins a group's extreme at the greatest finite double, and loses infinities beside it
    kind = f"case when isnan({number}) then 3 when {number} = double('inf') then 2 when {number} = double('-inf') then 0 else 1 end"
    kept = call.keep(number), call.keep(f"case when {number} is not null then {kind} end")
    finite = call.made(call.name, f"case when {kept[1]} = 1 then {kept[0]} end")
    odd = " ".join(
        f"when {code} then double('{word}')" for code, word in ((3, "NaN"), (2, "inf"), (0, "-inf"))
    )
    return Value(f"(case {call.made(call.name, kept[1])} {odd} else {finite} end)", "double")


def _added(call: Call, given: Value, distinct: str) -> Value:
    name = call.name
    if given.kind == "double":
        raise Refused(f"{name}() of floating-point numbers", _FLOATS)
    if given.kind != "exact":
        raise Refused(f"{name}() adds up numbers, and {given.told()}", "cast it, as in cast(a as bigint)")
    if given.scale > DEEPEST:
        raise Refused(
            f"{name}() of numbers with {given.scale} digits behind the point",
            f"cast to decimal(38, {DEEPEST}) first",
        )
    number = f"cast({given.sql} as decimal({MOST_DIGITS}, {given.scale}))"
    kept, most, guard = call.keep(number), given.most, ""
    if most > _ADDEND:  # Sail wraps such a sum, and Spark fails
        most, bound = (
            _ADDEND,
            f"cast('{Decimal(_ADDEND).scaleb(-given.scale):f}' as decimal({MOST_DIGITS}, {given.scale}))",
        )
        guard = f"case when {call.made('max', f'abs({kept})')} <= {bound} then "
        kept = f"case when abs({kept}) <= {bound} then {kept} end"
    total = exact(f"{guard}{call.made('sum', distinct + kept)}{guard and ' end'}", most * ROWS, given.scale)
    if name == "sum":
        return total
    return Value(
        f"({total.real} / nullif(cast({call.made('count', distinct + kept)} as double), 0.0D))", "double"
    )


def _percentile(call: Call, given: Value, share: Value) -> Value:
    at = float(share.constant or "nan") if share.number else -1.0
    if at not in _QUARTERS:
        raise Refused(
            f"{call.name}() at another share than {', '.join(map(str, _QUARTERS))}",
            "engines round others differently",
        )
    if given.kind != "exact" or given.scale:
        told = "a number with a fraction" if given.number else given.told()
        fix = "engines round between two of them differently: ask whole numbers, as in median(cast(a * 1000 as bigint)) / 1000"
        raise Refused(f"{call.name}() takes whole numbers, and this is {told}", fix)
    whole = call.keep(f"cast({given.decimal} as decimal({MOST_DIGITS}, 0))")
    largest = call.made("max", f"abs({whole})")
    made = call.made("percentile", f"cast(try_cast({whole} as bigint) as double), {at}")
    return Value(f"(case when {largest} < 2251799813685248 then {made} end)", "double")


def call_of(node: Any, of: Scope, keep: Callable[[str], str]) -> Call:
    """The call of an aggregate, with its filter or without."""
    tail = ""
    if type(node).__name__ == "Filter":
        tail, node = f" filter (where {keep(truth(node.expression.this, of))})", node.this
    return Call(function_name(node), node.expressions, lambda item: value(item, of), keep, tail)
