"""A row condition as a syntax tree: one expression over a row."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from catalog.expressions.parse import error_details, written
from catalog.expressions.values import Refused

if TYPE_CHECKING:
    from sqlglot import exp


def parsed(sql: str) -> exp.Expr:
    """A condition as a tree.

    Raises:
        Refused: It is no single expression.
    """
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = written(f"select 1 where {sql}")
    except (SqlglotError, RecursionError) as error:
        what = f"no valid Spark SQL ({error_details(error).get('description') or type(error).__name__})"
        raise Refused(what, "correct the expression") from None
    query = statements[0] if len(statements) == 1 else None
    used = {name for name, item in query.args.items() if item} if isinstance(query, exp.Select) else set()
    if query is None or not used <= {"expressions", "where", "kind"} or "where" not in used:
        raise Refused("it is not one expression", "a condition can ask a row's own columns only")
    if query.find(exp.Window, exp.Subquery, exp.Exists, exp.Star) or len(list(query.find_all(exp.Query))) > 1:
        raise Refused("it looks at more than one row", "a condition can ask a row's own columns only")
    found: exp.Expr = query.args["where"].this
    return found


def columns_in(sql: str, columns: Collection[str]) -> set[str]:
    """The columns that a condition names; none where it can't be read."""
    from sqlglot import exp

    try:
        return {item.name for item in parsed(f"({sql})").find_all(exp.Column)} & set(columns)
    except Refused:
        return set()
