"""Aggregates and windows of a query: exact sums, NaN above all numbers, and what both engines answer alike (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from catalog.sql_expression import truth, value
from catalog.sql_functions import AGGREGATES, WINDOWED
from catalog.sql_parse import function_name
from catalog.sql_unite import united
from catalog.sql_values import DEEPEST, MOST_DIGITS, Refused, Value, exact

if TYPE_CHECKING:
    from sqlglot import exp

    from catalog.sql_expression import Scope

ROWS: Final = 10**10
"""Most rows that are added up or counted; so much room is left in a sum."""
_ADDEND: Final = 10**27 - 1
"""The greatest that is added up, counted in its last digit."""
_WRITTEN: Final = 2**31
_FLOATS: Final = "floating-point sums depend on the order of rows; cast to decimal first"
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
    wanted = 2 if name == "percentile" else 1
    if len(arguments) != wanted:
        raise Refused(f"{name}() was given {len(arguments)} arguments", f"give it {wanted}")
    given = call.of(arguments[0])
    if name in ("min", "max"):
        return _extreme(call, given)
    if name in ("sum", "avg", "mean"):
        return _added(call, given, distinct)
    if name in ("percentile", "median"):
        return _percentile(call, given, call.of(arguments[1]) if name == "percentile" else Value("0.5", "exact", 5, 1, constant="0.5"))
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
    number = given.canonical  # Sail begins a group's extreme at the greatest finite double, and loses infinities beside it
    kind = f"case when isnan({number}) then 3 when {number} = double('inf') then 2 when {number} = double('-inf') then 0 else 1 end"
    kept = call.keep(number), call.keep(f"case when {number} is not null then {kind} end")
    finite = call.made(call.name, f"case when {kept[1]} = 1 then {kept[0]} end")
    odd = " ".join(f"when {code} then double('{word}')" for code, word in ((3, "NaN"), (2, "inf"), (0, "-inf")))
    return Value(f"(case {call.made(call.name, kept[1])} {odd} else {finite} end)", "double")


def _added(call: Call, given: Value, distinct: str) -> Value:
    name = call.name
    if given.kind == "double":
        raise Refused(f"{name}() of floating-point numbers", _FLOATS)
    if given.kind != "exact":
        raise Refused(f"{name}() adds up numbers, and {given.told()}", "cast it, as in cast(a as bigint)")
    if given.scale > DEEPEST:
        raise Refused(f"{name}() of numbers with {given.scale} digits behind the point", f"cast to decimal(38, {DEEPEST}) first")
    number = f"cast({given.sql} as decimal({MOST_DIGITS}, {given.scale}))"
    kept, most, guard = call.keep(number), given.most, ""
    if most > _ADDEND:  # Sail wraps such a sum, and Spark fails
        most, bound = _ADDEND, f"cast('{Decimal(_ADDEND).scaleb(-given.scale):f}' as decimal({MOST_DIGITS}, {given.scale}))"
        guard = f"case when {call.made('max', f'abs({kept})')} <= {bound} then "
        kept = f"case when abs({kept}) <= {bound} then {kept} end"
    total = exact(f"{guard}{call.made('sum', distinct + kept)}{guard and ' end'}", most * ROWS, given.scale)
    if name == "sum":
        return total
    return Value(f"({total.real} / nullif(cast({call.made('count', distinct + kept)} as double), 0.0D))", "double")


def _percentile(call: Call, given: Value, share: Value) -> Value:
    at = float(share.constant or "nan") if share.number else -1.0
    if at not in _QUARTERS:
        raise Refused(f"{call.name}() at another share than {', '.join(map(str, _QUARTERS))}", "engines round others differently")
    if given.kind != "exact" or given.scale:
        told = "a number with a fraction" if given.number else given.told()
        fix = "engines round between two of them differently: ask whole numbers, as in median(cast(a * 1000 as bigint)) / 1000"
        raise Refused(f"{call.name}() takes whole numbers, and this is {told}", fix)
    whole = call.keep(f"cast({given.decimal} as decimal({MOST_DIGITS}, 0))")
    largest = call.made("max", f"abs({whole})")
    made = call.made("percentile", f"cast(try_cast({whole} as bigint) as double), {at}")
    return Value(f"(case when {largest} < 2251799813685248 then {made} end)", "double")


def windowed(call: Call, ignoring: str) -> Value:
    """What a function gives over a window."""
    name, parts = call.name, [call.of(item) for item in call.arguments]
    if name not in WINDOWED:
        raise Refused(f"{name}() over a window", "ask an aggregate, or one of docs/sql.md")
    needed, most = _TAKES[name]
    if not needed <= len(parts) <= most:
        raise Refused(f"{name}() was given {len(parts)} arguments", f"give it {needed}{f' to {most}' if most > needed else ''}")
    if not most or name == "ntile":
        return exact(f"{name}({_written(name, parts[0]) if most else ''}){call.tail}", ROWS)
    first = parts[0]
    more = [_written(name, item) for item in parts[1:2]]
    if len(parts) > len("ab"):
        (kept, default), like = united([first, parts[2]])
        return like(f"{name}({kept}, {more[0]}, {default}){ignoring}{call.tail}")
    if first.kind in ("null", "interval"):
        raise Refused(f"{name}() of {first.told()}", "ask it of a column")
    made = f"{name}({', '.join([first.sql, *more])}){ignoring}{call.tail}"
    return exact(made, first.most, first.scale) if first.kind == "exact" else Value(made, first.kind)


_TAKES: Final = {
    **dict.fromkeys(("row_number", "rank", "dense_rank"), (0, 0)),
    **dict.fromkeys(("first_value", "last_value", "ntile"), (1, 1)),
    **dict.fromkeys(("lag", "lead"), (1, 3)),
    "nth_value": (2, 2),
}
"""Arguments, from and to."""


def _written(name: str, given: Value) -> str:
    least = 0 if name in ("lag", "lead") else 1
    if given.kind != "exact" or given.scale or given.constant is None or not least <= int(given.constant) < _WRITTEN:
        raise Refused(
            f"an argument of {name}() is no whole number of {least} or more that is written out",
            f"write {least}, {least + 1} or more there",
        )
    return str(int(given.constant))


def over(window: Any, scope: Scope) -> str:
    """The window behind a function."""
    parts = []
    if partition := window.args.get("partition_by"):
        parts.append(f"partition by {', '.join(value(item, scope).canonical for item in partition)}")
    if (order := window.args.get("order")) is not None:
        parts.append(f"order by {', '.join(ordered(item, value(item.this, scope)) for item in order.expressions)}")
    if (spec := window.args.get("spec")) is not None:
        parts.append(_frame(spec))
    return f" over ({' '.join(parts)})"


def ordered(item: Any, by: Value) -> str:
    """One part of an ORDER BY."""
    if by.kind == "interval":
        raise Refused(f"ordered by {by.told()}", "order by a column")
    return f"{by.canonical} {'desc' if item.args.get('desc') else 'asc'} nulls {'first' if item.args.get('nulls_first') else 'last'}"


def _frame(spec: Any) -> str:
    kind = str(spec.args.get("kind") or "rows").lower()
    if spec.args.get("exclude"):
        raise Refused("a window that leaves rows out", "write it without EXCLUDE")
    first = _bound(spec.args.get("start"), spec.args.get("start_side"), kind)
    if spec.args.get("end") is None:
        return f"{kind} {first}"
    return f"{kind} between {first} and {_bound(spec.args.get('end'), spec.args.get('end_side'), kind)}"


def _bound(at: Any, side: Any, kind: str) -> str:
    if isinstance(at, str):
        return f"{at} {side or ''}".strip().lower()
    if kind != "rows" or not str(getattr(at, "name", "")).isdecimal():
        raise Refused("a window of a distance", "write rows between 2 preceding and current row")
    return f"{at.name} {side}".lower()


def call_of(node: Any, of: Scope, keep: Callable[[str], str]) -> Call:
    """The call of an aggregate, with its filter or without."""
    tail = ""
    if type(node).__name__ == "Filter":
        tail, node = f" filter (where {keep(truth(node.expression.this, of))})", node.this
    return Call(function_name(node), node.expressions, lambda item: value(item, of), keep, tail)


def window_of(node: Any, scope: Scope, named: Mapping[str, Any]) -> Value:
    """A function over a window."""
    inner, ignoring, window = node.this, "", node
    if type(inner).__name__ in ("IgnoreNulls", "RespectNulls"):
        inner, ignoring = inner.this, " ignore nulls" if type(inner).__name__ == "IgnoreNulls" else ""
    if node.alias:
        window = named.get(node.alias.lower())
        if window is None or window.alias:
            raise Refused(f"there is no window {node.alias!r}", "write over (partition by ... order by ...)")
    if any(type(item).__name__ == "Distinct" for item in (inner.this if type(inner).__name__ == "Filter" else inner).expressions):
        raise Refused("DISTINCT over a window", "count groups in a subquery, and join it")  # Spark has no plan for it
    if type(inner).__name__ == "Filter":  # which Sail has no plan for over a window
        chosen, inner = truth(inner.expression.this, scope), inner.this
        call = call_of(inner, scope, lambda sql: f"(case when {chosen} then {sql} end)")
        call = replace(call, each=call.keep("1"))
    else:
        call = call_of(inner, scope, str)
    call = replace(call, tail=call.tail + over(window, scope))
    return aggregated(call) if is_aggregate(inner) else windowed(call, ignoring)
