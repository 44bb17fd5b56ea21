"""A query, read strictly and written anew: expression by expression, a kind for each column (docs/sql.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from catalog.expressions.parse import check_parts, shown
from catalog.expressions.spark_sql import quoted
from catalog.expressions.values import Refused
from catalog.queries.relation import Relation
from catalog.queries.scope import Query, Rows
from catalog.queries.select_query import select_query
from catalog.queries.set_operations import SET_OPERATIONS, set_operation
from catalog.queries.sources import Tables, renamed


def relation(node: Any, rows: Rows, tables: Tables) -> Relation:
    """A query over tables.

    Args:
        node: The query.
        rows: An empty scope that knows the query around.
        tables: What can be read, by name.

    Raises:
        Refused: It holds what no query can; what, where, and what to write instead.
    """
    try:
        return _relation(node, rows, tables)
    except Refused as refused:
        refused.node = refused.node or node
        raise


def _relation(node: Any, rows: Rows, tables: Tables) -> Relation:
    kind, first = type(node).__name__, ""
    if kind == "Subquery":
        check_parts(node, ("this",))
        return relation(node.this, rows, tables)
    if (named := node.args.get("with_")) is not None:
        check_parts(named, ("expressions",))
        parts = []
        for item in named.expressions:
            check_parts(item, ("this", "alias"))
            found = renamed(relation(item.this, Rows([], _reader(tables)), tables), item.args["alias"])
            tables = {**tables, item.alias.lower(): found}
            parts.append(f"{quoted(item.alias.lower())} as ({found.sql})")
        first = f"with {', '.join(parts)} "
    rows.query = _reader(tables)
    if kind == "Select":
        found = select_query(node, rows, tables)
    elif kind in SET_OPERATIONS:
        found = set_operation(node, rows)
    else:
        raise Refused(f"{shown(node)!r} is no SELECT", "write one")
    return replace(found, sql=first + found.sql)


def _reader(tables: Tables) -> Query:
    return lambda node, rows: relation(node, rows, tables)
