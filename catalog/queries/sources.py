"""FROM and JOIN: the tables and subqueries that a query reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from catalog.expressions.expression import truth
from catalog.expressions.parse import check_parts, shown
from catalog.expressions.spark_sql import quoted
from catalog.expressions.unite import compared, united
from catalog.expressions.values import Refused
from catalog.queries.relation import Relation, Source, select, stored
from catalog.queries.scope import Rows

if TYPE_CHECKING:
    from sqlglot import exp

Tables = Mapping[str, Relation]
"""The inputs and the queries of WITH, by name in small letters."""
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
"""The join of each side and kind."""


def renamed(found: Relation, alias: Any) -> Relation:
    """A query whose columns an alias gives names."""
    if alias is None or not (names := [item.name for item in alias.args.get("columns") or ()]):
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


def read(node: exp.Select, rows: Rows, tables: Tables) -> str:
    """The SQL of FROM; the scope gets the tables."""
    found: Any = node.args.get("from_")
    if found is None:
        return ""
    check_parts(found, ("this",))
    first, rows.key = _source(found.this, rows, tables)
    joins = [_joined(join, rows, tables) for join in node.args.get("joins") or ()]
    return f" from {first}{''.join(joins)}"


def _source(node: Any, rows: Rows, tables: Tables) -> tuple[str, frozenset[str] | None]:
    """A table or subquery, and the SQL of its key."""
    alias = node.args.get("alias")
    if type(node).__name__ == "Table":
        check_parts(node, ("this", "alias"))
        name, said = node.name, node.alias or node.name
        if (found := tables.get(name.lower())) is None or (alias is not None and alias.args.get("columns")):
            raise Refused(f"it reads {shown(node)!r}", "read an input, under an alias")
        sql = f"{quoted(name.lower())} as {quoted(said)}"
    elif type(node).__name__ == "Subquery":
        check_parts(node, ("this", "alias"))
        said = node.alias or f"_q{len(rows.sources)}"
        found = renamed(rows.query(node.this, Rows([], rows.query)), alias)
        sql = f"({found.sql}) as {quoted(said)}"
    else:
        raise Refused(f"it reads {shown(node)!r}", "read an input, or a subquery")
    if any(item.alias.lower() == said.lower() for item in rows.sources):
        raise Refused(f"two tables are called {said}", "give one another alias")
    names = [name for name, _ in found.columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Refused(f"{said} has two columns {twice}", "give one another name")
    columns = tuple((name, stored(column, name, said)) for name, column in found.columns)
    rows.sources.append(Source(said, columns))
    if found.key is None:
        return sql, None
    return sql, frozenset(f"{quoted(said)}.{quoted(name)}" for name in found.key)


def _joined(join: Any, rows: Rows, tables: Tables) -> str:
    check_parts(join, ("this", "side", "kind", "on", "using"))
    sides = (str(join.args.get("side") or "").upper(), str(join.args.get("kind") or "").upper())
    kind, on, using = _KINDS.get(sides), join.args.get("on"), join.args.get("using") or ()
    if kind is None:
        fix = "join with join, left join, right join, full join, cross join, semi or anti join"
        raise Refused(f"a {' '.join(sides).lower()} join", fix)
    if (kind == "cross join") != (on is None and not using):
        with_on = "with" if kind == "cross join" else "without"
        raise Refused(f"a {kind} {with_on} ON", "write join ... on, or cross join")
    before = len(rows.sources)
    source, key = _source(join.this, rows, tables)
    sql = f" {kind} {source}"
    if using:
        sql += f" on {_using(using, rows, before, sides[0])}"
    elif on is not None:
        rows.joining = True
        sql += f" on {truth(on, rows)}"
        rows.joining = False
    if sides[1] in ("SEMI", "ANTI"):
        del rows.sources[before:]
    elif kind == "full join":  # a row of NULLs on each side that finds no other has the same key
        rows.key = None
    elif kind not in ("join", "left join") or not _met(on, key, rows):
        rows.key = None if None in (rows.key, key) else (rows.key or frozenset()) | (key or frozenset())
    return sql


def _met(on: Any, key: frozenset[str] | None, rows: Rows) -> bool:
    """Whether an ON sets a table's whole key equal to columns of others, so that it finds one row at most."""
    if on is None or key is None:
        return False
    said, found = f"{quoted(rows.sources[-1].alias)}.", set[str]()
    for part in on.flatten() if type(on).__name__ == "And" else [on]:
        if [type(item).__name__ for item in (part, part.this, part.expression)] != ["EQ", "Column", "Column"]:
            continue
        one, other = rows.own(part.this), rows.own(part.expression)
        if one and other and one.kind == other.kind != "double" and one.scale == other.scale:
            for mine, its in ((one, other), (other, one)):
                if mine.sql.startswith(said) and not its.sql.startswith(said):
                    found.add(mine.sql)
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
