"""UNION, INTERSECT and EXCEPT: two SELECTs whose columns fit each other."""

from __future__ import annotations

from typing import Any, Final

from catalog.expressions.parse import check_parts
from catalog.expressions.spark_sql import quoted
from catalog.expressions.unite import united
from catalog.expressions.values import Refused, Value
from catalog.queries.limit import limit_of, order_of
from catalog.queries.relation import Relation, select, stored
from catalog.queries.scope import Rows

SET_OPERATIONS: Final = ("Union", "Intersect", "Except")
"""By the names of sqlglot's nodes."""


def set_operation(node: Any, rows: Rows) -> Relation:
    """A query of two queries, in an empty scope that knows the query around."""
    check_parts(node, ("this", "expression", "distinct", "order", "limit", "with_"))
    distinct, word = bool(node.args.get("distinct")), type(node).__name__.lower()
    left, right = (_side(part, rows) for part in (node.this, node.expression))
    if len(left.columns) != len(right.columns):
        what = f"one SELECT gives {len(left.columns)} columns, the other {len(right.columns)}"
        raise Refused(what, "give as many")
    if not distinct and word != "union":  # Sail 0.7.2 gives more rows than are common
        raise Refused(f"{word} all", f"write {word}, or group each side and compare count(*)")
    lefts, rights, columns = list[str](), list[str](), list[tuple[str, Value]]()
    for (name, one), (named, other) in zip(left.columns, right.columns, strict=True):
        parts, like = united([stored(one, name, "_l"), stored(other, named, "_r")])
        for side, part in zip((lefts, rights), parts, strict=True):
            united_part = like(part)
            canonical = distinct and united_part.kind == "double"
            side.append(f"{united_part.canonical if canonical else part} as {quoted(name)}")
        columns.append((name, like("null")))
    first, second = select(lefts, left.sql, "_l"), select(rights, right.sql, "_r")
    sql = f"({first}) {word}{'' if distinct else ' all'} ({second})"
    if (limit := limit_of(node)) is not None:
        items = [(name, stored(column, name, "_u")) for name, column in columns]
        by = frozenset(column.sql for _, column in items) if distinct else None
        order = order_of(node, items, Rows([], rows.query, key=by))
        sql = f"{select([f'_u.{quoted(name)}' for name, _ in columns], sql, '_u')}{order} limit {limit}"
    key = frozenset(name for name, _ in columns) if distinct else None
    return Relation(sql, tuple(columns), limit in (0, 1), key)


def _side(node: Any, rows: Rows) -> Relation:
    scope = Rows([], rows.query, rows.parent)
    found = rows.query(node, scope)
    rows.correlated = rows.correlated or scope.correlated
    return found
