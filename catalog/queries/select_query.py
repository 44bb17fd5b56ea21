"""SELECT: its items, WHERE, GROUP BY, HAVING, DISTINCT and LIMIT, written anew in the query's scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.expressions.expression import truth, value
from catalog.expressions.parse import check_parts
from catalog.expressions.spark_sql import quoted
from catalog.expressions.values import Refused, Value, refuse_all, within
from catalog.queries.aggregates import is_aggregate
from catalog.queries.groups import Groups
from catalog.queries.limit import limit_of, order_of
from catalog.queries.relation import LONGEST_QUERY, Relation
from catalog.queries.scope import Rows
from catalog.queries.set_operations import SET_OPERATIONS
from catalog.queries.sources import Tables, read

_NULL: Final = Value("null", "null", name="NULL")
_CLAUSES: Final = (
    "expressions",
    "distinct",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "with_",
    "windows",
)


def select_query(node: Any, rows: Rows, tables: Tables) -> Relation:
    """A SELECT over tables, in an empty scope that knows the query around."""
    check_parts(node, _CLAUSES)
    source = read(node, rows, tables)
    if (where := node.args.get("where")) is not None:
        rows.ties = frozenset(map(id, _conjuncts(where.this)))
        source += f" where {_chosen(where, rows)}"
    deeper = len(rows.tied)
    having, order, group = (node.args.get(name) for name in ("having", "order", "group"))
    parts = [*node.expressions, *([order] if order else [])]
    if group is None and having is None and not any(map(_aggregates, parts)):
        return _Select(node, replace(rows, aliases={}), source).made(rows)
    computed: dict[str, str] = {}

    def keep(sql: str) -> str:
        return f"_g.{computed.setdefault(sql, f'_a{len(computed)}')}"

    groups = Groups([], rows.query, rows.parent, rows=rows, keep=keep)
    made = _Select(node, groups, source, computed).made(rows)
    if not rows.correlated:
        return made
    if len(rows.tied) > deeper:
        what = "an aggregate of a subquery, which both ask for columns of the query around them"
        raise Refused(what, "join one of them")
    # Sail looks for columns of the query around in one level only.
    groups = Groups([], rows.query, rows.parent, rows=rows, keep=str)
    return _Select(node, groups, source).made(rows)


def _conjuncts(node: Any) -> Iterator[Any]:
    """The parts of a condition that all hold where it does."""
    if type(node).__name__ == "And":
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    elif type(node).__name__ == "Paren":
        yield from _conjuncts(node.this)
    else:
        yield node


def _chosen(node: Any, scope: Rows) -> str:
    """The condition of a WHERE or HAVING."""
    scope.chosen = frozenset(map(id, _conjuncts(node.this)))
    found = truth(node.this, scope)
    scope.chosen = frozenset()
    return found


def _aggregates(node: Any) -> bool:
    """Whether an expression aggregates rows of its own query.

    A window's function does not, but its arguments may.
    """
    kind = type(node).__name__
    if kind in ("Select", "Subquery", *SET_OPERATIONS):
        return False
    if is_aggregate(node):
        return True
    if kind != "Window":
        return any(map(_aggregates, node.iter_expressions()))
    call, order = node.this, node.args.get("order")
    while type(call).__name__ in ("Filter", "IgnoreNulls", "RespectNulls"):
        call = call.this
    inner = [*call.expressions, *(node.args.get("partition_by") or ()), *([order] if order else [])]
    return any(map(_aggregates, inner))


@dataclass
class _Select:
    """One SELECT in its scope; `computed` names, by SQL, the expressions of the subquery below the groups."""

    node: Any
    scope: Rows
    source: str
    computed: dict[str, str] | None = None

    def made(self, rows: Rows) -> Relation:
        node, scope, keys = self.node, self.scope, list[str]()
        if isinstance(scope, Groups):
            keys = self._keys(rows, scope)
            scope.key = frozenset(item.sql for item in scope.keys.values())
        scope.windows = {item.name.lower(): item for item in node.args.get("windows") or ()}
        items = list(self._items())
        scope.windows = None
        having = node.args.get("having")
        tail = f" group by {', '.join(keys)}" if keys else ""
        tail += f" having {_chosen(having, scope)}" if having else ""
        distinct, source = bool(node.args.get("distinct")), self.source
        key = _key(items, scope.key)
        if distinct:
            check_parts(node.args["distinct"], ())
            key = key or frozenset(name for name, _ in items)
            scope.key = frozenset(item.sql for _, item in items)
        if (limit := limit_of(node)) is not None:
            scope.windows = {}
            tail += f"{order_of(node, items, scope)} limit {limit}"
        if self.computed is not None:
            inner = ", ".join(f"{sql} as {name}" for sql, name in self.computed.items()) or "1 as _a0"
            source = f" from (select {inner}{source}) as _g"
        columns = []
        for name, item in items:
            columns.append(f"{item.canonical if distinct or not item.plain else item.sql} as {quoted(name)}")
        rows.correlated = rows.correlated or scope.correlated
        single = limit in (0, 1) or (isinstance(scope, Groups) and not keys)
        sql = f"select {'distinct ' if distinct else ''}{', '.join(columns)}{source}{tail}"
        return Relation(sql, tuple(items), single, key)

    def _items(self) -> Iterator[tuple[str, Value]]:
        scope, wrong, length = self.scope, list[Refused](), 0
        for number, item in enumerate(self.node.expressions):
            kind = type(item).__name__
            if kind == "Star" or (kind == "Column" and type(item.this).__name__ == "Star"):
                yield from self._starred(item)
                continue
            found = _NULL
            try:
                found = value(item.this if kind == "Alias" else item, scope)
            except Refused as refused:
                wrong.append(refused)
            if found.kind == "interval":
                raise Refused("an interval is no column", "add it to a time")
            name = item.alias if kind == "Alias" else item.name if kind == "Column" else f"_c{number}"
            length += len(found.sql)
            within(length, LONGEST_QUERY)
            scope.aliases.setdefault(name.lower(), found)
            yield name, found
        refuse_all(wrong)

    def _starred(self, item: Any) -> Iterator[tuple[str, Value]]:
        if item.args.get("except_") or item.args.get("replace") or self.scope.groups or self.scope.joined:
            raise Refused("*", "name the columns")
        table = item.args["table"].name.lower() if item.args.get("table") else None
        for source in self.scope.sources:
            if table in (None, source.alias.lower()):
                yield from source.columns

    def _keys(self, rows: Rows, scope: Groups) -> list[str]:
        """The SQL of the keys of GROUP BY: expressions, and items of the SELECT by number or alias."""
        if (group := self.node.args.get("group")) is None:
            return []
        check_parts(group, ("expressions",))
        items = self.node.expressions
        aliases = {item.alias.lower(): item.this for item in items if type(item).__name__ == "Alias"}
        keys = []
        for item in group.expressions:
            kind, node = type(item).__name__, item
            if kind == "Literal" and item.name.isdecimal() and 0 < int(item.name) <= len(items):
                node = items[int(item.name) - 1].unalias()
            elif kind == "Column" and not item.args.get("table") and rows.own(item) is None:
                node = aliases.get(item.name.lower(), item)
            keys.append(scope.group_by(node, value(node, rows)))
        return keys


def _key(items: list[tuple[str, Value]], key: frozenset[str] | None) -> frozenset[str] | None:
    """The key of rows by the names of what is selected of them; None where it is not all there."""
    named = {item.sql: name for name, item in items}
    return None if key is None or not key <= named.keys() else frozenset(named[sql] for sql in key)
