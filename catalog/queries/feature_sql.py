"""The SQL of a feature table: read in the Spark dialect, with the inputs and columns of its contract."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from catalog.documents.containment import mistake_of, mistakes_in
from catalog.documents.document import read_text, suggest
from catalog.expressions.lint import line_of, order_dependent
from catalog.expressions.parse import error_details, shown, statements, written
from catalog.expressions.spark_sql import SPARK_TYPES
from catalog.mistakes import Mistakes, joined
from catalog.queries.allowed import miscounted, not_allowed
from catalog.queries.feature_query import PROVENANCE, feature_query
from catalog.queries.unknown_columns import unknown_columns
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from sqlglot import exp


def read_sql(path: Path, contract: Contract) -> str:
    """The text of a feature's SQL.

    Raises:
        ContractError: It is no single SELECT, reads other tables than the contract says, or gives other
            columns; all of that at once.
    """
    from sqlglot import exp

    with mistakes_in(path):
        text = read_text(path)
        statements = _statements(path, text)
        if len(statements) != 1 or not isinstance(statements[0], exp.Query):
            raise _error(path, 1, "the SQL is not one SELECT", "write one SELECT statement, nothing else")
        query, found = statements[0], Mistakes()
        for mistake in (*_wrong_inputs(path, contract, query), *_wrong_columns(path, contract, query)):
            found.add(mistake)
        found.end()
        return text


def _error(path: Path, line: int, what: str, fix: str) -> ContractError:
    return ContractError(what, where=f"{path}:{line}", fix=fix)


def _statements(path: Path, text: str) -> list[exp.Expr]:
    from sqlglot.errors import SqlglotError

    try:
        with contextlib.suppress(SqlglotError, ValueError):
            return written(text)  # which knows no functions, and so refuses none
        return statements(text)
    except SqlglotError as error:
        details = error_details(error)
        what = f"not valid Spark SQL: {details.get('description') or type(error).__name__}"
        raise _error(path, details.get("line") or 1, what, "correct the SQL there") from error


def unsound_sql(contract: Contract, inputs: Mapping[str, Contract]) -> ContractError | None:
    """All that makes a feature's result depend on the order of rows, time, chance or engine (promise P5).

    So do types that don't fit: among the SQL's own, and those of its columns with the contract's.
    """
    path, sql = contract.sql_path, contract.sql
    if path is None or sql is None:
        return None
    return mistake_of(path, partial(_unsound_sql, path, sql, contract, inputs))


def _unsound_sql(
    path: Path, sql: str, contract: Contract, inputs: Mapping[str, Contract]
) -> ContractError | None:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        (as_written,) = written(sql)
    except (SqlglotError, ValueError) as error:
        details = error_details(error)
        what = f"the SQL holds what it can't, near {str(details.get('highlight') or '')[:40]!r}"
        return _error(
            path, details.get("line") or 1, what, "call functions as name(a, b); docs/sql.md lists them"
        )
    wrong = list(miscounted(as_written))
    if not wrong:
        try:
            sqlglot.parse_one(sql, dialect="spark")
        except (SqlglotError, KeyError, ValueError):  # sqlglot's own reader stops at some functions
            wrong = list(not_allowed(as_written))
            if not wrong:
                raise
    if wrong:
        return joined(_not_allowed(path, node, f"{what}, in {shown(node)}", fix) for node, what, fix in wrong)
    if found := list(_unfixed(path, sql, as_written, {name: inputs[name] for name in contract.inputs})):
        return joined(found)
    keys = {name: inputs[name].key for name in contract.inputs if inputs[name].kind == "feature"}
    feature_query(contract, {name: inputs[name].columns for name in contract.inputs}, keys=keys)
    return None


def _not_allowed(path: Path, node: exp.Expr, what: str, fix: str) -> ContractError:
    return _error(path, line_of(node), f"the SQL holds what it can't: {what}", fix)


def _unfixed(
    path: Path, sql: str, as_written: exp.Expr, inputs: Mapping[str, Contract]
) -> Iterator[ContractError]:
    """Unknown columns, what depends on order or chance, and what is not on the list, each function once."""
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify

    schema: dict[str, object] = {}
    for name, contract in inputs.items():
        schema[name] = {item.name: SPARK_TYPES[item.type] for item in (*contract.columns, *PROVENANCE)}
    tree = sqlglot.parse_one(sql, dialect="spark")
    try:
        tree = qualify(tree, schema=schema, dialect="spark", quote_identifiers=False)
    except SqlglotError as error:
        lacking = []
        with contextlib.suppress(SqlglotError):
            lacking = unknown_columns(sqlglot.parse_one(sql, dialect="spark"), schema)
        if not lacking:
            what = f"the SQL names what its inputs lack: {error}"
            yield _error(path, 1, what, "correct the SQL there")
        for item in lacking:
            yield _error(path, item.line, item.what, item.fix)
    reported = set[tuple[int, str]]()
    for item in order_dependent(tree):
        reported.add((item.line, item.what.partition("(")[0]))
        yield _error(path, item.line, f"the SQL's result is not fixed: {item.what}", item.fix)
    for node, what, fix in not_allowed(as_written):
        if (line_of(node), what.partition("(")[0]) not in reported:
            yield _not_allowed(path, node, what, fix)


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
            yield _error(path, line, what, "name a dataset of this lake, and nothing before it")
        elif table.name not in inner:
            lines.setdefault(table.name, line)
    for name in sorted(lines.keys() - set(contract.inputs)):
        what, fix = f"the SQL reads {name!r}, which the contract doesn't declare", suggest(name, unread)
        yield _error(path, lines[name], what, f"{fix} Or add it to inputs in {contract.path.name}")
        unread -= {other for other in unread if fix == f"did you mean {other!r}?"}
    if unread:
        what = f"the SQL doesn't read {', '.join(sorted(unread))}, which the contract declares"
        yield _error(path, 1, what, f"read it, or take it out of inputs in {contract.path.name}")


def _wrong_columns(path: Path, contract: Contract, query: exp.Query) -> Iterator[ContractError]:
    if query.is_star:
        yield _error(path, 1, "the SQL selects *", "name the columns, so that a new one can't slip in")
        return
    given, wanted = query.named_selects, [column.name for column in (*contract.columns, *PROVENANCE)]
    if twice := sorted({name for name in given if given.count(name) > 1}):
        yield _error(path, 1, f"the SQL gives {', '.join(twice)} twice", "name each column once")
    missing = [name for name in wanted if name not in given]
    for node in query.selects:
        if (name := node.alias_or_name) not in wanted:
            fix = suggest(name, missing)
            yield _error(path, line_of(node), f"the SQL gives {name}, which {contract.path.name} lacks", fix)
            missing = [other for other in missing if fix != f"did you mean {other!r}?"]
    if missing:
        yield _error(path, 1, f"the SQL doesn't give {', '.join(missing)}", f"select it in {path.name}")
