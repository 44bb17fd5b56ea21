"""All columns that a feature's SQL names and its inputs lack; sqlglot itself reports only the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catalog.documents.document import suggest
from catalog.expressions.lint import Finding, line_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def unknown_columns(tree: exp.Expr, schema: Mapping[str, Any]) -> list[Finding]:
    """The columns that nothing that the SQL reads has, each once for each line.

    Args:
        tree: The SQL as it was parsed; it is changed.
        schema: The columns of each input.
    """
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    partly = qualify(
        tree,
        schema={**schema},
        dialect="spark",
        quote_identifiers=False,
        allow_partial_qualification=True,
        validate_qualify_columns=False,
    )
    found: dict[tuple[str, int], Finding] = {}
    for scope in traverse_scope(partly):
        for column in scope.columns:
            name, line, known = column.sql(dialect="spark"), line_of(column), _known(scope, column, schema)
            if known is not None and column.name not in known:
                what = f"the SQL names {name}, which its inputs lack"
                found.setdefault((name, line), Finding(what, line, suggest(column.name, known)))
    return list(found.values())


def _known(scope: Scope, column: exp.Column, schema: Mapping[str, Any]) -> set[str] | None:
    """The columns that this one can be; None where that isn't known, as in a correlated subquery."""
    sources = {name: _columns(source, schema) for name, source in scope.sources.items()}
    if column.table:
        return sources.get(column.table)
    if scope.is_correlated_subquery or None in sources.values():
        return None
    return {name for columns in sources.values() for name in columns or ()}


def _columns(source: Any, schema: Mapping[str, Any]) -> set[str] | None:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

    if isinstance(source, exp.Table):
        return {*schema[source.name]} if source.name in schema else None
    if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
        return {*source.expression.named_selects}
    return None
