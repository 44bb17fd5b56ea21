"""Row conditions: Spark SQL over a row's own columns, rewritten so that no data makes one fail.

An engine never gets the text of a contract. Its SQL is made here, operator by operator, and unknown
operators are refused when the contract is read. Types have to fit, whole numbers are computed exactly, and
what only data can decide (a division by zero, a cast of text) is NULL (docs/sql.md).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from catalog.contract import Column
from catalog.documents.document import suggest
from catalog.expressions.condition_tree import parsed
from catalog.expressions.expression import TRUTH, value
from catalog.expressions.spark_sql import condition_sql
from catalog.expressions.values import Refused, Value, of_column

if TYPE_CHECKING:
    from sqlglot import exp


def sql_of(condition: Any, columns: dict[str, Column]) -> str:
    """The engine's SQL of a row condition, which is Spark SQL or the JSON of GX.

    Raises:
        ValueError: It can't be read; the text says why.
    """
    try:
        return checked_sql(condition_sql(condition, columns), tuple(columns.values()))
    except Refused as refused:
        raise ValueError(f"{refused.what}: {refused.fix}") from refused


@functools.lru_cache(maxsize=1024)
def checked_sql(sql: str, columns: tuple[Column, ...]) -> str:
    """The engine's SQL of a condition in Spark SQL.

    Raises:
        Refused: It is none; what is wrong, and what to write instead.
    """
    found = value_of(sql, columns)
    if found.kind not in TRUTH:
        what = f"the condition is {found.described()}, and neither true nor false"
        raise Refused(what, "compare it with something")
    return found.sql


def value_of(sql: str, columns: tuple[Column, ...]) -> Value:
    """An expression of any kind.

    Raises:
        Refused: It is none; what is wrong, and what to write instead.
    """
    return value(parsed(f"({sql})"), _Row(columns))


class _Row:
    """The columns of a row."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = {column.name: column for column in columns}

    def column(self, node: exp.Expr) -> Value:
        if node.args.get("table") or node.name not in self._columns:
            what = f"there is no column {node.sql(dialect='spark')!r}"
            raise Refused(what, suggest(node.name, self._columns))
        return of_column(self._columns[node.name])

    def special(self, _: exp.Expr) -> Value | None:
        return None
