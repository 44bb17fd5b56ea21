"""Where a table's columns come from: by name out of the raw file, or read from a feature's SQL."""

from __future__ import annotations

from collections.abc import Mapping

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
    """The sources as a Markdown table, because Dagster's open-source UI doesn't show column lineage."""
    lines = ["| column | made of |", "|---|---|"]
    for column, found in sources.items():
        made_of = ", ".join(markdown(f"{table}.{name}") for table, name in found)
        lines.append(f"| {markdown(column)} | {made_of or 'no column'} |")
    return "\n".join(lines)


def _of_sql(contract: Contract, inputs: Mapping[str, Contract]) -> Sources:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    schema: dict[str, object] = {}
    for name, other in inputs.items():
        columns = [*(column.name for column in other.columns), "_drop", "_row"]
        schema[name] = dict.fromkeys(columns, "string")
    try:
        query = sqlglot.parse_one(contract.sql or "", dialect="spark")
        scope = build_scope(query := qualify(query, schema=schema, dialect="spark"))
    except (SqlglotError, LakegateError):
        return {}  # lineage is shown, nothing depends on it; the contract's own checks refuse wrong SQL
    if scope is None or not isinstance(query, exp.Select):
        return {}
    tables = {alias: source.name for alias, source in scope.sources.items() if isinstance(source, exp.Table)}
    sources: Sources = {}
    for item in query.selects:
        read = {(tables[it.table], it.name) for it in item.find_all(exp.Column) if it.table in tables}
        sources[item.alias_or_name] = sorted(read)
    return sources
