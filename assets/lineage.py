"""Where a table's columns come from: by name out of the raw file, or read from a feature's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster import AssetKey, TableColumnDep, TableColumnLineage

from catalog.contract import Contract
from lakegate.errors import LakegateError
from lakegate.media import markdown

Sources = dict[str, list[tuple[str, str]]]
"""Of each column, the (table, column) that it is made of."""


def sources_of(contract: Contract, contracts: Mapping[str, Contract]) -> Sources:
    """The sources of a dataset's processed columns, or of a feature's."""
    if contract.kind == "dataset":
        return {column.name: [(f"{contract.name}_raw", column.name)] for column in contract.delivered}
    return _of_sql(contract, {name: contracts[name] for name in contract.inputs if name in contracts})


def column_lineage(sources: Sources) -> TableColumnLineage:
    """The sources as Dagster's `dagster/column_lineage`."""
    deps = {
        column: [TableColumnDep(asset_key=AssetKey(table), column_name=name) for table, name in found]
        for column, found in sources.items()
        if found
    }
    return TableColumnLineage(deps_by_column=deps)


def drawn(sources: Sources) -> str:
    """The sources as a Markdown table; Dagster's open-source UI doesn't show the lineage that it is told."""
    lines = [
        f"| {markdown(column)} | {', '.join(markdown(f'{table}.{name}') for table, name in found) or 'no column'} |"
        for column, found in sources.items()
    ]
    return "\n".join(["| column | made of |", "|---|---|", *lines])


def _of_sql(contract: Contract, inputs: Mapping[str, Contract]) -> Sources:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, object] = {
        name: dict.fromkeys(_columns(other), "string") for name, other in inputs.items()
    }
    try:
        query = qualify(
            sqlglot.parse_one(contract.sql or "", dialect="spark"), schema=schema, dialect="spark"
        )
        scope = build_scope(query)
    except (SqlglotError, LakegateError):
        return {}  # lineage is shown, nothing depends on it; the contract's own checks refuse wrong SQL
    if scope is None or not isinstance(query, exp.Select):
        return {}
    tables = {alias: source.name for alias, source in scope.sources.items() if isinstance(source, exp.Table)}
    return {item.alias_or_name: _read(item, tables) for item in query.selects}


def _read(expression: object, tables: Mapping[str, str]) -> list[tuple[str, str]]:
    from sqlglot import exp

    found: Sequence[exp.Column] = (
        list(expression.find_all(exp.Column)) if isinstance(expression, exp.Expression) else []
    )
    return sorted({(tables[column.table], column.name) for column in found if column.table in tables})


def _columns(contract: Contract) -> list[str]:
    return [*(column.name for column in contract.columns), "_drop", "_row"]
