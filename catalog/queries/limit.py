"""LIMIT, and the ORDER BY before it, which matters only where rows are cut off."""

from __future__ import annotations

from typing import Any

from catalog.expressions.expression import value
from catalog.expressions.parse import check_parts
from catalog.expressions.values import Refused, Value
from catalog.queries.scope import Rows
from catalog.queries.windows import check_total_order, ordered


def limit_of(node: Any) -> int | None:
    """The number of rows that LIMIT leaves; None where there is no LIMIT."""
    if (limit := node.args.get("limit")) is None:
        return None
    check_parts(limit, ("expression",))
    if not limit.expression.name.isdecimal() or type(limit.expression).__name__ != "Literal":
        raise Refused("LIMIT of no number", "write a whole number")
    return int(limit.expression.name)


def order_of(node: Any, items: list[tuple[str, Value]], scope: Rows) -> str:
    """The SQL of ORDER BY, which has to be total."""
    order, by_them = node.args.get("order"), set[str]()
    named, parts = {name.lower(): item for name, item in items}, list[str]()
    for item in order.expressions if order is not None else ():
        by = item.this
        if type(by).__name__ == "Literal" and by.name.isdecimal() and 0 < int(by.name) <= len(items):
            found = items[int(by.name) - 1][1]
        elif type(by).__name__ == "Column" and not by.args.get("table") and by.name.lower() in named:
            found = named[by.name.lower()]
        else:
            found = value(by, scope)
        parts.append(ordered(item, scope.untied(found, "an ORDER BY")))
        by_them.add(found.sql)
    check_total_order("LIMIT", by_them, scope.key)
    return f" order by {', '.join(parts)}" if parts else ""
