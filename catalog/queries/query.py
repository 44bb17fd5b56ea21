"""A query, read strictly and written anew: expression by expression, with a kind for each column (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.expressions.expression import truth, value
from catalog.expressions.spark_sql import quoted
from catalog.expressions.unite import united
from catalog.expressions.values import Refused, Value, refuse_all, within
from catalog.queries.allowed import known
from catalog.queries.groups import is_aggregate
from catalog.queries.limit import limit_of, order_of
from catalog.queries.relation import LONGEST_QUERY, Relation, select, stored
from catalog.queries.scope import Groups, Query, Rows
from catalog.queries.sources import Tables, read, renamed

_NULL: Final = Value("null", "null", name="NULL")
_SETS: Final = {"Union": "union", "Intersect": "intersect", "Except": "except"}
_SELECT: Final = (
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


def relation(node: Any, rows: Rows, tables: Tables) -> Relation:
    """A query over tables, in an empty scope that knows what stands around it.

    Raises:
        Refused: It holds what can't be asked; what, where, and what to write instead.
    """
    try:
        return _relation(node, rows, tables)
    except Refused as refused:
        refused.node = refused.node or node
        raise


def _relation(node: Any, rows: Rows, tables: Tables) -> Relation:
    kind, first = type(node).__name__, ""
    if kind == "Subquery":
        known(node, "this")
        return relation(node.this, rows, tables)
    if (named := node.args.get("with_")) is not None:
        known(named, "expressions")
        parts = []
        for item in named.expressions:
            known(item, "this", "alias")
            found = renamed(relation(item.this, Rows([], _reader(tables)), tables), item.args["alias"])
            tables = {**tables, item.alias.lower(): found}
            parts.append(f"{quoted(item.alias.lower())} as ({found.sql})")
        first = f"with {', '.join(parts)} "
    rows.query = _reader(tables)
    if kind == "Select":
        known(node, *_SELECT)
        found = _select(node, rows, tables)
    elif kind in _SETS:
        known(node, "this", "expression", "distinct", "order", "limit", "with_")
        found = _set(node, rows, tables)
    else:
        raise Refused(f"{node.sql(dialect='spark')[:60]!r} is no SELECT", "write one")
    return replace(found, sql=first + found.sql)


def _reader(tables: Tables) -> Query:
    return lambda node, rows: relation(node, rows, tables)


def _set(node: Any, rows: Rows, tables: Tables) -> Relation:
    sides = []
    for part in (node.this, node.expression):
        of = Rows([], rows.query, rows.parent)
        sides.append(relation(part, of, tables))
        rows.correlated = rows.correlated or of.correlated
    left, right = sides
    if len(left.columns) != len(right.columns):
        raise Refused(
            f"one SELECT gives {len(left.columns)} columns, the other {len(right.columns)}", "give as many"
        )
    distinct, kind = bool(node.args.get("distinct")), type(node).__name__
    if not distinct and kind != "Union":  # Sail 0.7.2 gives more rows than are common
        raise Refused(f"{_SETS[kind]} all", f"write {_SETS[kind]}, or group each side and compare count(*)")
    names, listed, columns = [name for name, _ in left.columns], ([], []), []  # type: ignore[var-annotated]
    for (name, one), (named, other) in zip(left.columns, right.columns, strict=True):
        parts, like = united([stored(one, name, "_l"), stored(other, named, "_r")])
        for side, part in zip(listed, parts, strict=True):
            kept = like(part)
            side.append(f"{kept.canonical if distinct and kept.kind == 'double' else part} as {quoted(name)}")
        columns.append((name, like("null")))
    word = f"{_SETS[kind]}{'' if distinct else ' all'}"
    both = [
        f"({select(part, side.sql, alias)})"
        for part, side, alias in zip(listed, sides, ("_l", "_r"), strict=True)
    ]
    sql = f"{both[0]} {word} {both[1]}"
    if (limit := limit_of(node)) is not None:
        kept_columns = {name: stored(column, name, "_u") for name, column in columns}
        by = frozenset(column.sql for column in kept_columns.values()) if distinct else None
        order = order_of(node, list(kept_columns.items()), Rows([], rows.query, key=by))
        sql = f"{select([f'_u.{quoted(name)}' for name in names], sql, '_u')}{order} limit {limit}"
    key = frozenset(names) if distinct else None
    return Relation(sql, tuple(columns), limit in (0, 1), key)


def _select(node: Any, rows: Rows, tables: Tables) -> Relation:
    source = read(node, rows, tables, rows.query)
    if (where := node.args.get("where")) is not None:
        rows.ties = frozenset(map(id, _conjuncts(where.this)))
        source += f" where {_chosen(where, rows)}"
    deeper = len(rows.tied)
    having, order, group = (node.args.get(name) for name in ("having", "order", "group"))
    asked = [*node.expressions, *([having.this] if having else []), *([order] if order else [])]
    if group is None and having is None and not any(map(_aggregates, asked)):
        return _Select(node, replace(rows, aliases={}), source).made(rows)
    kept: dict[str, str] = {}
    groups = Groups(
        [],
        rows.query,
        rows.parent,
        rows=rows,
        keep=lambda sql: f"_g.{kept.setdefault(sql, f'_a{len(kept)}')}",
    )
    made = _Select(node, groups, source, kept).made(rows)
    if not rows.correlated:
        return made
    if len(rows.tied) > deeper:
        raise Refused(
            "an aggregate of a subquery, which both ask for columns of the query around them",
            "join one of them",
        )
    groups = Groups(
        [], rows.query, rows.parent, rows=rows, keep=str
    )  # Sail looks for what stands around it in one level alone
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
    """Whether an expression aggregates the rows of its own query; a window's function is none, but what is asked of it may be."""
    kind = type(node).__name__
    if kind in ("Select", "Subquery", "Union", "Intersect", "Except"):
        return False
    if is_aggregate(node):
        return True
    inner = list(_children(node))
    if kind == "Window":
        call = node.this
        while type(call).__name__ in ("Filter", "IgnoreNulls", "RespectNulls"):
            call = call.this
        inner = [
            *call.expressions,
            *(item for name in ("partition_by", "order") for item in _list(node.args.get(name))),
        ]
    return any(map(_aggregates, inner))


def _children(node: Any) -> Iterator[Any]:
    yield from node.iter_expressions()


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found] if found is not None else []


@dataclass
class _Select:
    """One SELECT in its scope; `kept` is what is computed of rows before groups are made of them, by its SQL."""

    node: Any
    scope: Rows
    source: str
    kept: dict[str, str] | None = None

    def made(self, rows: Rows) -> Relation:
        node, scope = self.node, self.scope
        keys = self._keys(rows) if isinstance(scope, Groups) else []
        scope.key = (
            frozenset(item.sql for item in scope.keys.values()) if isinstance(scope, Groups) else scope.key
        )
        scope.windows = {item.name.lower(): item for item in node.args.get("windows") or ()}
        items = list(self._items())
        scope.windows = None
        having = node.args.get("having")
        tail = f" group by {', '.join(keys)}" if keys else ""
        tail += f" having {_chosen(having, scope)}" if having else ""
        distinct, source = bool(node.args.get("distinct")), self.source
        key = _key(items, scope.key)
        if distinct:
            key, scope.key = (
                key or frozenset(name for name, _ in items),
                frozenset(item.sql for _, item in items),
            )
        if (limit := limit_of(node)) is not None:
            scope.windows = {}
            tail += f"{order_of(node, items, scope)} limit {limit}"
        if distinct:
            known(node.args["distinct"])
        if self.kept is not None:
            inner = ", ".join(f"{sql} as {name}" for sql, name in self.kept.items()) or "1 as _a0"
            source = f" from (select {inner}{source}) as _g"
        listed = ", ".join(
            f"{item.canonical if distinct or not item.plain else item.sql} as {quoted(name)}"
            for name, item in items
        )
        rows.correlated = rows.correlated or scope.correlated
        single = limit in (0, 1) or (isinstance(scope, Groups) and not keys)
        return Relation(
            f"select {'distinct ' if distinct else ''}{listed}{source}{tail}", tuple(items), single, key
        )

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
        if (
            item.args.get("except_")
            or item.args.get("replace")
            or isinstance(self.scope, Groups)
            or self.scope.joined
        ):
            raise Refused("*", "name the columns")
        table = item.args["table"].name.lower() if item.args.get("table") else None
        for source in self.scope.sources:
            if table in (None, source.alias.lower()):
                yield from source.columns

    def _keys(self, rows: Rows) -> list[str]:
        group, scope = self.node.args.get("group"), self.scope
        if group is None or not isinstance(scope, Groups):
            return []
        known(group, "expressions")
        keys = []
        for item in group.expressions:
            node, named = (
                item,
                {
                    found.alias.lower(): found.this
                    for found in self.node.expressions
                    if type(found).__name__ == "Alias"
                },
            )
            if (
                type(item).__name__ == "Literal"
                and item.name.isdecimal()
                and 0 < int(item.name) <= len(self.node.expressions)
            ):
                node = self.node.expressions[int(item.name) - 1].unalias()
            elif type(item).__name__ == "Column" and not item.args.get("table") and rows.own(item) is None:
                node = named.get(item.name.lower(), item)
            keys.append(scope.group_by(node, value(node, rows)))
        return keys


def _key(items: list[tuple[str, Value]], key: frozenset[str] | None) -> frozenset[str] | None:
    """The key of rows by the names of what is selected of them; None where it is not all there."""
    named = {item.sql: name for name, item in items}
    return None if key is None or not key <= named.keys() else frozenset(named[sql] for sql in key)
