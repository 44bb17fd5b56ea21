"""Windows of a query: their order is total where the result depends on it (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from catalog.expressions.calls import counted
from catalog.expressions.expression import truth, value
from catalog.expressions.functions import WINDOW_ARGUMENTS, WINDOWED
from catalog.expressions.unite import united
from catalog.expressions.values import Refused, Value, exact, same_kind
from catalog.queries.aggregates import ROWS, Call, aggregated, call_of, is_aggregate

if TYPE_CHECKING:
    from catalog.expressions.expression import Scope

_RANKED: Final = frozenset({"row_number", "lag", "lead", "nth_value", "ntile", "first_value", "last_value"})
"""Functions whose result depends on the order of rows that the window's order leaves equal."""
_ALL: Final = "rows between unbounded preceding and unbounded following"


def check_total_order(what: str, by: Collection[str], key: frozenset[str] | None) -> None:
    """Refuse what depends on the order of rows that is not by a key of theirs, so that two may be equal."""
    if key is None:
        fix = "read tables that carry _drop, _row, or group or select distinct in a subquery first"
        raise Refused(f"{what} without a total order", f"its rows have no key there: {fix}")
    if lacking := sorted(key.difference(by)):
        named = ", ".join(item.replace("`", "") for item in lacking)
        columns = all(item.endswith("`") for item in lacking)
        fix = f"end its ORDER BY in {named}" if columns else "order by all that is grouped by"
        raise Refused(f"{what} without a total order", fix)


def windowed(call: Call, ignoring: str) -> Value:
    """The result of a function over a window."""
    name, parts = call.name, [call.of(item) for item in call.arguments]
    if name not in WINDOWED:
        raise Refused(f"{name}() over a window", "ask an aggregate, or one of docs/sql.md")
    counted(name, len(parts), *WINDOW_ARGUMENTS[name])
    most = WINDOW_ARGUMENTS[name][1]
    if not most or name == "ntile":
        return exact(f"{name}({_written(name, parts[0]) if most else ''}){call.tail}", ROWS)
    first = parts[0]
    more = [_written(name, item) for item in parts[1:2]]
    if len(parts) > len("ab"):
        (argument, default), like = united([first, parts[2]])
        return like(f"{name}({argument}, {more[0]}, {default}){ignoring}{call.tail}")
    if first.kind in ("null", "interval"):
        raise Refused(f"{name}() of {first.described()}", "ask it of a column")
    return same_kind(first, f"{name}({', '.join([first.sql, *more])}){ignoring}{call.tail}")


def _written(name: str, given: Value) -> str:
    least = 0 if name in ("lag", "lead") else 1
    if (number := given.literal_of(least, 2**31)) is None:
        what = f"an argument of {name}() is no whole number of {least} or more that is written out"
        raise Refused(what, f"write {least}, {least + 1} or more there")
    return str(number)


def _over(window: Any, scope: Scope, name: str, key: frozenset[str] | None) -> str:
    """The window after a function's call."""
    parts, by, frame = list[str](), set[str](), ""
    if partition := window.args.get("partition_by"):
        found = [value(item, scope) for item in partition]
        by |= {item.sql for item in found}
        parts.append(f"partition by {', '.join(item.canonical for item in found)}")
    if (order := window.args.get("order")) is not None:
        pairs = [(item, value(item.this, scope)) for item in order.expressions]
        by |= {item.sql for _, item in pairs}
        parts.append(f"order by {', '.join(ordered(*pair) for pair in pairs)}")
    if (spec := window.args.get("spec")) is not None:
        frame = _frame(spec)
        parts.append(frame)
    if name in _RANKED or (frame.startswith("rows") and frame != _ALL):
        what = "rows of a window" if frame.startswith("rows") else "a window"
        check_total_order(f"{name}() over {what}", by, key)
    return f" over ({' '.join(parts)})"


def ordered(item: Any, by: Value) -> str:
    """One part of an ORDER BY."""
    if by.kind == "interval":
        raise Refused(f"ordered by {by.described()}", "order by a column")
    direction = "desc" if item.args.get("desc") else "asc"
    nulls = "first" if item.args.get("nulls_first") else "last"
    return f"{by.canonical} {direction} nulls {nulls}"


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


def window_of(node: Any, scope: Scope, named: Mapping[str, Any], key: frozenset[str] | None) -> Value:
    """A function over a window.

    Args:
        node: The function and its window.
        scope: What the window can name.
        named: Windows that have names.
        key: The SQL of columns in which no two rows are equal; None where none are known.
    """
    inner, ignoring, condition = node.this, "", None
    if type(inner).__name__ in ("IgnoreNulls", "RespectNulls"):
        ignoring = " ignore nulls" if type(inner).__name__ == "IgnoreNulls" else ""
        inner = inner.this
    window = _named(node, named) if node.alias else node
    if type(inner).__name__ == "Filter":
        condition, inner = inner.expression.this, inner.this
    if any(type(item).__name__ == "Distinct" for item in inner.expressions):  # Spark has no plan for it
        raise Refused("DISTINCT over a window", "count groups in a subquery, and join it")
    if condition is None:
        call = call_of(inner, scope, str)
    elif is_aggregate(inner):  # Sail has no plan for a filter over a window
        chosen = truth(condition, scope)
        call = call_of(inner, scope, lambda sql: f"(case when {chosen} then {sql} end)")
        call = replace(call, each=call.keep("1"))
    else:
        raise Refused("a filter of what is no aggregate", "ask it in a CASE, or in the WHERE of a subquery")
    call = replace(call, tail=call.tail + _over(window, scope, call.name, key))
    return aggregated(call) if is_aggregate(inner) else windowed(call, ignoring)


def _named(node: Any, named: Mapping[str, Any]) -> Any:
    """The window that is named; its parts are written there and nowhere else."""
    window = named.get(node.alias.lower())
    if window is None or window.alias or any(map(node.args.get, ("partition_by", "order", "spec"))):
        raise Refused(f"there is no window {node.alias!r}", "write over (partition by ... order by ...)")
    return window
