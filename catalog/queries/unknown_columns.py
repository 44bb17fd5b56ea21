"""The columns that a feature's SQL names and its inputs lack, all of them: sqlglot itself tells the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from catalog.documents.document import suggest
from catalog.expressions.lint import Finding, line_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


def unknown_columns(tree: exp.Expr, schema: Mapping[str, Any]) -> Iterator[Finding]:
    """What the SQL names and nothing that it reads has, once for each name and line.

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
    told = set[tuple[str, int]]()
    for scope in traverse_scope(partly):
        for column in scope.columns:
            found = (column.sql(dialect="spark"), line_of(column))
            if (
                found not in told
                and (known := _known(scope, column, schema)) is not None
                and column.name not in known
            ):
                told.add(found)
                yield Finding(
                    f"the SQL names {found[0]}, which its inputs lack", found[1], suggest(column.name, known)
                )


def _known(scope: Scope, column: exp.Column, schema: Mapping[str, Any]) -> set[str] | None:
    """The columns among which this one has to be; None where that isn't known, as of the query around a correlated one."""
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
    return (
        {*source.expression.named_selects}
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query)
        else None
    )
