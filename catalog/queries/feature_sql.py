"""The SQL of a feature table: read in the Spark dialect, its inputs and columns checked against the contract."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from catalog.contract import Contract
from catalog.documents.containment import mistake_of, mistakes_in
from catalog.documents.document import read_text, suggest
from catalog.expressions.lint import line_of, order_dependent
from catalog.expressions.parse import written
from catalog.expressions.spark_sql import SPARK_TYPES
from catalog.mistakes import Mistakes, joined
from catalog.queries.allowed import miscounted, not_allowed
from catalog.queries.feature_query import feature_query
from catalog.queries.unknown_columns import unknown_columns
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from sqlglot import exp

PROVENANCE: Final = ("_drop", "_row")
"""Every row of the driver names its drop and record; a feature row carries them on (promise P8)."""


def read_sql(path: Path, contract: Contract) -> str:
    """The text of a feature's SQL.

    Raises:
        ContractError: It is no single SELECT, reads other tables than the contract says, or gives other columns; all of that at once.
    """
    with mistakes_in(path):
        return _read_sql(path, contract)


def _read_sql(path: Path, contract: Contract) -> str:
    from sqlglot import exp

    text = read_text(path)
    statements = _statements(path, text)
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ContractError(
            "the SQL is not one SELECT", where=f"{path}:1", fix="write one SELECT statement, nothing else"
        )
    query, found = statements[0], Mistakes()
    for mistake in (*_wrong_inputs(path, contract, query), *_wrong_columns(path, contract, query)):
        found.add(mistake)
    found.end()
    return text


def _statements(path: Path, text: str) -> list[exp.Expr]:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        with contextlib.suppress(SqlglotError, ValueError):
            return written(text)  # which knows no functions, and so refuses none
        return [item for item in sqlglot.parse(text, dialect="spark") if item is not None]
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        where = f"{path}:{details[0].get('line') or 1}"
        what = f"not valid Spark SQL: {details[0].get('description') or type(error).__name__}"
        raise ContractError(what, where=where, fix="correct the SQL there") from error


def unsound_sql(contract: Contract, inputs: Mapping[str, Contract]) -> ContractError | None:
    """All that makes the answer of a feature's SQL depend on the order of rows, on time, on chance or on the engine (promise P5).

    So do types that don't fit: among the SQL's own, and those of its columns with the contract's.
    """
    path = contract.sql_path
    return None if path is None else mistake_of(path, lambda: _unsound_sql(contract, inputs))


def _unsound_sql(contract: Contract, inputs: Mapping[str, Contract]) -> ContractError | None:
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify

    if contract.sql is None or contract.sql_path is None:
        return None
    schema: dict[str, object] = {
        name: {column.name: SPARK_TYPES[column.type] for column in inputs[name].columns} | _PROVENANCE_TYPES
        for name in contract.inputs
    }
    try:
        (as_written,) = written(contract.sql)
    except (SqlglotError, ValueError) as error:
        details = getattr(error, "errors", None) or [{}]
        where, fix = (
            f"{contract.sql_path}:{details[0].get('line') or 1}",
            "call functions as name(a, b); docs/sql.md lists them",
        )
        return ContractError(
            f"the SQL holds what it can't, near {str(details[0].get('highlight') or '')[:40]!r}",
            where=where,
            fix=fix,
        )
    path, found, told = contract.sql_path, list[ContractError](), set[tuple[int, str]]()
    if (wrong := _unreadable(path, contract.sql, as_written)) is not None:
        return wrong
    tree = sqlglot.parse_one(contract.sql, dialect="spark")
    try:
        tree = qualify(tree, schema=schema, dialect="spark", quote_identifiers=False)
    except SqlglotError as error:
        with contextlib.suppress(SqlglotError):
            lacking = unknown_columns(sqlglot.parse_one(contract.sql, dialect="spark"), schema)
            found += [ContractError(item.what, where=f"{path}:{item.line}", fix=item.fix) for item in lacking]
        if not found:
            found.append(
                ContractError(
                    f"the SQL names what its inputs lack: {error}",
                    where=f"{path}:1",
                    fix="correct the SQL there",
                )
            )
    for item in order_dependent(tree):
        told.add((item.line, item.what.partition("(")[0]))
        found.append(
            ContractError(
                f"the SQL's answer is not fixed: {item.what}", where=f"{path}:{item.line}", fix=item.fix
            )
        )
    for node, what, fix in not_allowed(as_written):
        if (line_of(node), what.partition("(")[0]) not in told:  # what a function is refused for is told once
            found.append(
                ContractError(
                    f"the SQL holds what it can't: {what}", where=f"{path}:{line_of(node)}", fix=fix
                )
            )
    if not found:  # else its types may not be known
        keys = {name: inputs[name].key for name in contract.inputs if inputs[name].kind == "feature"}
        feature_query(contract, {name: inputs[name].columns for name in contract.inputs}, keys=keys)
    return joined(found) if found else None


def _unreadable(path: Path, sql: str, tree: exp.Expr) -> ContractError | None:
    """What sqlglot's own reader stops at, which knows functions: calls with other numbers of arguments, and some that are not on the list."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    wrong = list(miscounted(tree))
    if not wrong:
        try:
            sqlglot.parse_one(sql, dialect="spark")
        except (SqlglotError, KeyError, ValueError):
            wrong = list(not_allowed(tree))
    found = [
        ContractError(
            f"the SQL holds what it can't: {what}, in {node.sql(dialect='spark')[:60]}",
            where=f"{path}:{line_of(node)}",
            fix=fix,
        )
        for node, what, fix in wrong
    ]
    return joined(found) if found else None


_PROVENANCE_TYPES: Final = {"_drop": "string", "_row": "bigint"}


def _wrong_inputs(path: Path, contract: Contract, query: exp.Query) -> Iterator[ContractError]:
    from sqlglot import exp

    inner = {cte.alias for cte in query.find_all(exp.CTE)}
    lines: dict[str, int] = {}
    unread = set(contract.inputs)
    for table in query.find_all(exp.Table):
        line = table.this.meta.get("line", 1)
        unread.discard(table.name)
        if table.db or not isinstance(table.this, exp.Identifier):
            what = f"the SQL reads {table.sql(dialect='spark')[:80]!r}"
            yield ContractError(
                what, where=f"{path}:{line}", fix="name a dataset of this lake, and nothing before it"
            )
        elif table.name not in inner:
            lines.setdefault(table.name, line)
    unknown = sorted(lines.keys() - set(contract.inputs))
    for name in unknown:
        what, fix = f"the SQL reads {name!r}, which the contract doesn't declare", suggest(name, unread)
        yield ContractError(
            what,
            where=f"{path}:{lines[name]}",
            fix=f"{fix} Or add it to inputs in {contract.path.name}",
        )
        unread -= {other for other in unread if fix == f"did you mean {other!r}?"}
    if unread:
        what = f"the SQL doesn't read {', '.join(sorted(unread))}, which the contract declares"
        yield ContractError(
            what, where=f"{path}:1", fix=f"read it, or take it out of inputs in {contract.path.name}"
        )


def _wrong_columns(path: Path, contract: Contract, query: exp.Query) -> Iterator[ContractError]:
    if query.is_star:
        yield ContractError(
            "the SQL selects *", where=f"{path}:1", fix="name the columns, so that a new one can't slip in"
        )
        return
    given, wanted = query.named_selects, [*(column.name for column in contract.columns), *PROVENANCE]
    if twice := sorted({name for name in given if given.count(name) > 1}):
        what = f"the SQL gives {', '.join(twice)} twice"
        yield ContractError(what, where=f"{path}:1", fix="name each column once")
    missing = [name for name in wanted if name not in given]
    for node in query.selects:
        if (name := node.alias_or_name) not in wanted:
            fix = suggest(name, missing)
            yield ContractError(
                f"the SQL gives {name}, which {contract.path.name} lacks",
                where=f"{path}:{line_of(node)}",
                fix=fix,
            )
            missing = [other for other in missing if fix != f"did you mean {other!r}?"]
    if missing:
        what = f"the SQL doesn't give {', '.join(missing)}"
        yield ContractError(what, where=f"{path}:1", fix=f"select it in {path.name}")
