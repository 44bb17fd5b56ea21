"""What a query reads: tables, subqueries and their joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from catalog.expressions.expression import truth
from catalog.expressions.spark_sql import quoted
from catalog.expressions.unite import compared, united
from catalog.expressions.values import Refused
from catalog.queries.allowed import known
from catalog.queries.relation import Relation, Source, select, stored
from catalog.queries.scope import Query, Rows

if TYPE_CHECKING:
    from sqlglot import exp

Tables = Mapping[str, Relation]
"""What can be read, by name in small letters: the inputs, and what WITH names."""
_KINDS: Final = {
    ("", ""): "join",
    ("", "INNER"): "join",
    ("", "CROSS"): "cross join",
    ("LEFT", ""): "left join",
    ("LEFT", "OUTER"): "left join",
    ("RIGHT", ""): "right join",
    ("RIGHT", "OUTER"): "right join",
    ("FULL", ""): "full join",
    ("FULL", "OUTER"): "full join",
    ("LEFT", "SEMI"): "left semi join",
    ("", "SEMI"): "left semi join",
    ("LEFT", "ANTI"): "left anti join",
    ("", "ANTI"): "left anti join",
}
"""By side and kind."""


def renamed(found: Relation, alias: Any) -> Relation:
    """A query whose columns an alias gives names."""
    names = [item.name for item in alias.args.get("columns") or ()] if alias is not None else []
    if not names:
        return found
    if len(names) != len(found.columns):
        raise Refused(f"{len(names)} names for {len(found.columns)} columns", "give each column one")
    pairs = list(zip(names, found.columns, strict=True))
    listed = [f"{stored(column, old, '_r').sql} as {quoted(new)}" for new, (old, column) in pairs]
    now = {old: new for new, (old, _) in pairs}
    key = None if found.key is None else frozenset(now[old] for old in found.key)
    return replace(
        found,
        sql=select(listed, found.sql, "_r"),
        columns=tuple((new, column) for new, (_, column) in pairs),
        key=key,
    )


def read(node: exp.Select, rows: Rows, tables: Tables, query: Query) -> str:
    """The FROM of a query, whose tables become what its expressions can name."""
    found: Any = node.args.get("from_")
    if found is None:
        return ""
    known(found, "this")
    sql, rows.key = _source(found.this, rows, tables, query)
    sql = f" from {sql}"
    for join in node.args.get("joins") or ():
        sql += _joined(join, rows, tables, query)
    return sql


def _source(node: Any, rows: Rows, tables: Tables, query: Query) -> tuple[str, frozenset[str] | None]:
    """A table or subquery, and the SQL of its key."""
    alias = node.args.get("alias")
    if type(node).__name__ == "Table":
        known(node, "this", "alias")
        name, said = node.name, node.alias or node.name
        if (found := tables.get(name.lower())) is None or (alias is not None and alias.args.get("columns")):
            raise Refused(f"it reads {node.sql(dialect='spark')[:60]!r}", "read an input, under an alias")
        sql = f"{quoted(name.lower())} as {quoted(said)}"
    elif type(node).__name__ == "Subquery":
        known(node, "this", "alias")
        said = node.alias or f"_q{len(rows.sources)}"
        found = renamed(query(node.this, Rows([], query)), alias)
        sql = f"({found.sql}) as {quoted(said)}"
    else:
        raise Refused(f"it reads {node.sql(dialect='spark')[:60]!r}", "read an input, or a subquery")
    if any(item.alias.lower() == said.lower() for item in rows.sources):
        raise Refused(f"two tables are called {said}", "give one another alias")
    names = [name for name, _ in found.columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Refused(f"{said} has two columns {twice}", "give one another name")
    rows.sources.append(
        Source(said, tuple((name, stored(column, name, said)) for name, column in found.columns))
    )
    return sql, None if found.key is None else frozenset(
        f"{quoted(said)}.{quoted(name)}" for name in found.key
    )


def _joined(join: Any, rows: Rows, tables: Tables, query: Query) -> str:
    known(join, "this", "side", "kind", "on", "using")
    sides = (str(join.args.get("side") or "").upper(), str(join.args.get("kind") or "").upper())
    kind, on, using = _KINDS.get(sides), join.args.get("on"), join.args.get("using") or ()
    if kind is None:
        raise Refused(
            f"a {' '.join(sides).lower()} join",
            "join with join, left join, right join, full join, cross join, semi or anti join",
        )
    if (kind == "cross join") != (on is None and not using):
        raise Refused(
            f"a {kind} {'with' if kind == 'cross join' else 'without'} ON", "write join ... on, or cross join"
        )
    before = len(rows.sources)
    source, key = _source(join.this, rows, tables, query)
    sql = f" {kind} {source}"
    if using:
        sql += f" on {_using(using, rows, before, sides[0])}"
    elif on is not None:
        rows.joining = True
        sql += f" on {truth(on, rows)}"
        rows.joining = False
    if sides[1] in ("SEMI", "ANTI"):
        del rows.sources[before:]
    elif kind == "full join":  # a group of NULL that finds none, and another on the other side, have one key
        rows.key = None
    elif kind not in ("join", "left join") or not _met(on, key, rows):
        rows.key = None if None in (rows.key, key) else (rows.key or frozenset()) | (key or frozenset())
    return sql


def _met(on: Any, key: frozenset[str] | None, rows: Rows) -> bool:
    """Whether an ON sets all of a table's key equal to columns of others, so that it finds one row at most."""
    if on is None or key is None:
        return False
    said, found = f"{quoted(rows.sources[-1].alias)}.", set[str]()
    for part in on.flatten() if type(on).__name__ == "And" else [on]:
        if type(part).__name__ != "EQ" or not all(
            type(side).__name__ == "Column" for side in (part.this, part.expression)
        ):
            continue
        one, other = rows.own(part.this), rows.own(part.expression)
        if one and other and one.kind == other.kind != "double" and one.scale == other.scale:
            found |= {
                mine.sql
                for mine, its in ((one, other), (other, one))
                if mine.sql.startswith(said) and not its.sql.startswith(said)
            }
    return key <= found


def _using(names: Any, rows: Rows, before: int, side: str) -> str:
    from sqlglot import exp

    right, parts = rows.sources[before], []
    left = Rows(rows.sources[:before], rows.query, joined=rows.joined)
    joined = {}
    for item in names:
        one, other = left.own(exp.column(item.name)), right.get(item.name)
        if one is None or other is None:
            raise Refused(f"not both tables have {item.name}", "write ON with the columns of each")
        parts.append(compared(one, "=", other).sql)
        if side == "FULL":
            both, like = united([one, other])
            joined[item.name.lower()] = like(f"coalesce({', '.join(both)})")
        else:
            joined[item.name.lower()] = other if side == "RIGHT" else one
    rows.joined |= joined
    return f"({' and '.join(parts)})"
