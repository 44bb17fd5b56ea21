"""The SQL of a feature table: read in the Spark dialect, its inputs and columns checked against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from catalog.containment import mistake_of, mistakes_in
from catalog.contract import Contract
from catalog.document import read_text, suggest
from catalog.spark_sql import SPARK_TYPES
from catalog.sql_allowed import not_allowed
from catalog.sql_lint import line_of, order_dependent
from catalog.sql_parse import written
from lakegate.errors import ContractError

PROVENANCE: Final = ("_drop", "_row")
"""Every row of the driver names its drop and record; a feature row carries them on (promise P8)."""


def read_sql(path: Path, contract: Contract) -> str:
    """The text of a feature's SQL.

    Raises:
        ContractError: It is no single SELECT, reads other tables than the contract says, or gives other columns.
    """
    with mistakes_in(path):
        return _read_sql(path, contract)


def _read_sql(path: Path, contract: Contract) -> str:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    text = read_text(path)
    try:
        statements = [item for item in sqlglot.parse(text, dialect="spark") if item is not None]
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        where = f"{path}:{details[0].get('line') or 1}"
        what = f"not valid Spark SQL: {details[0].get('description') or type(error).__name__}"
        raise ContractError(what, where=where, fix="correct the SQL there") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ContractError("the SQL is not one SELECT", where=f"{path}:1", fix="write one SELECT statement, nothing else")
    query = statements[0]
    _check_inputs(path, contract, query)
    _check_columns(path, contract, query.named_selects, star=query.is_star)
    return text


def unsound_sql(contract: Contract, inputs: Mapping[str, Contract]) -> ContractError | None:
    """What makes the answer of a feature's SQL depend on the order of rows, on time, on chance or on the engine (promise P5)."""
    path = contract.sql_path
    return None if path is None else mistake_of(path, lambda: _unsound_sql(contract, inputs))


def _unsound_sql(contract: Contract, inputs: Mapping[str, Contract]) -> ContractError | None:
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify

    if contract.sql is None or contract.sql_path is None:
        return None
    schema: dict[str, object] = {
        name: {column.name: SPARK_TYPES[column.type] for column in inputs[name].columns} | _PROVENANCE_TYPES for name in contract.inputs
    }
    tree = sqlglot.parse_one(contract.sql, dialect="spark")
    try:
        (as_written,) = written(contract.sql)
    except (SqlglotError, ValueError) as error:
        details = getattr(error, "errors", None) or [{}]
        where, fix = f"{contract.sql_path}:{details[0].get('line') or 1}", "call functions as name(a, b); docs/sql.md lists them"
        return ContractError(f"the SQL holds what it can't, near {str(details[0].get('highlight') or '')[:40]!r}", where=where, fix=fix)
    try:
        tree = annotate_types(qualify(tree, schema=schema, dialect="spark", quote_identifiers=False), schema=schema, dialect="spark")
    except SqlglotError as error:
        return ContractError(f"the SQL names what its inputs lack: {error}", where=f"{contract.sql_path}:1", fix="correct the SQL there")
    for finding in order_dependent(tree):
        what = f"the SQL's answer is not fixed: {finding.what}"
        return ContractError(what, where=f"{contract.sql_path}:{finding.line}", fix=finding.fix)
    for node, what, fix in not_allowed(as_written):
        return ContractError(f"the SQL holds what it can't: {what}", where=f"{contract.sql_path}:{line_of(node)}", fix=fix)
    return None


_PROVENANCE_TYPES: Final = {"_drop": "string", "_row": "bigint"}


def _check_inputs(path: Path, contract: Contract, query: object) -> None:
    from sqlglot import exp

    assert isinstance(query, exp.Query)  # noqa: S101 - sqlglot is imported late, so its types can't stand in the signature
    inner = {cte.alias for cte in query.find_all(exp.CTE)}
    lines: dict[str, int] = {}
    for table in query.find_all(exp.Table):
        line = table.this.meta.get("line", 1)
        if table.db or not isinstance(table.this, exp.Identifier):
            what = f"the SQL reads {table.sql(dialect='spark')[:80]!r}"
            raise ContractError(what, where=f"{path}:{line}", fix="name a dataset of this lake, and nothing before it")
        if table.name not in inner:
            lines.setdefault(table.name, line)
    for name in lines.keys() - set(contract.inputs):
        what = f"the SQL reads {name!r}, which the contract doesn't declare"
        raise ContractError(
            what,
            where=f"{path}:{lines[name]}",
            fix=f"{suggest(name, set(contract.inputs) - lines.keys())} Or add it to inputs in {contract.path.name}",
        )
    if unread := sorted(set(contract.inputs) - lines.keys()):
        what = f"the SQL doesn't read {', '.join(unread)}, which the contract declares"
        raise ContractError(what, where=f"{path}:1", fix=f"read it, or take it out of inputs in {contract.path.name}")


def _check_columns(path: Path, contract: Contract, given: list[str], *, star: bool) -> None:
    if star:
        raise ContractError("the SQL selects *", where=f"{path}:1", fix="name the columns, so that a new one can't slip in")
    wanted = [*(column.name for column in contract.columns), *PROVENANCE]
    if twice := sorted({name for name in given if given.count(name) > 1}):
        what = f"the SQL gives {', '.join(twice)} twice"
        raise ContractError(what, where=f"{path}:1", fix="name each column once")
    if unknown := [name for name in given if name not in wanted]:
        what = f"the SQL gives {', '.join(unknown)}, which {contract.path.name} lacks"
        raise ContractError(what, where=f"{path}:1", fix=suggest(unknown[0], [name for name in wanted if name not in given]))
    if missing := [name for name in wanted if name not in given]:
        what = f"the SQL doesn't give {', '.join(missing)}"
        raise ContractError(what, where=f"{path}:1", fix=f"select it in {path.name}")
