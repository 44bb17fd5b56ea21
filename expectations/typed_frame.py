"""The typed frame that rules judge: names of its helper columns, and text cast to declared types.

A value that readers of its type can't hold counts as text that can't be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from catalog.contract import Column, ColumnType, Contract
from catalog.expressions.spark_sql import SPARK_TYPES, literal
from catalog.odcs.time_patterns import pattern_shape
from expectations.spellings import ENDS, INFINITE, INFINITE_BELOW, NOT_A_NUMBER, NOT_ZERO, SPELLINGS

if TYPE_CHECKING:
    from pyspark.sql import Column as Expression
    from pyspark.sql import DataFrame

HELPER: Final = "__"
"""Helper columns start so; a contract's names never do."""

Columns = dict[str, Column]
"""A contract's columns by name."""
Collect = Callable[["DataFrame"], list[Any]]
"""Fetches a small frame's rows; the engine's own, whose errors hold no values."""

ROW: Final = "_row"
RECORD: Final = "_record"
DROP: Final = "_drop"
PROVENANCE: Final = (DROP, ROW)


def text_column(name: str) -> str:
    """Helper column: the text that was delivered for a typed column, where it was not in plain spelling."""
    return f"{HELPER}text_{name}"


def plain_column(name: str) -> str:
    """Helper column: the value of a typed column, where it was delivered in plain spelling."""
    return f"{HELPER}plain_{name}"


def nested_marker(name: str) -> str:
    """Helper column: for each check inside a JSON column, in order, 1 where the row breaks it, else 0."""
    return f"{HELPER}nested_{name}"


def reference_marker(column: str, reference: str, there: str) -> str:
    """Helper column: not NULL where a value of `column` was found in the column `there` of the reference."""
    return f"{HELPER}in_{reference}_{there}_{column}"


def duplicate_marker(rule: str) -> str:
    """Helper column: true where another row has the same key."""
    return f"{HELPER}dup_{rule}"


def typed(frame: DataFrame, contract: Contract) -> DataFrame:
    """A staged frame in the contract's types; beside each typed column the delivered text that was not plain.

    A column is staged as text, or as plain values and the text of all others. Text that can't be read becomes
    NULL, and rule `type` finds it.
    """
    from pyspark.sql import functions as F  # noqa: N812

    columns: list[Expression] = []
    staged = set(frame.columns)
    for column in contract.columns:
        text, plain = F.col(column.name), plain_column(column.name)
        value = _cast(text, column)
        if plain in staged:
            # Not coalesce(): where the text is NULL no engine needs to cast, and Sail does then.
            value = F.when(text.isNull(), F.col(plain)).otherwise(value)
        columns.append(value.alias(column.name))
        if column.type != "string":
            columns.append(text.alias(text_column(column.name)))
        if column.nested:
            columns.append(F.col(nested_marker(column.name)))
    return frame.select(*columns, F.col(ROW))


def _cast(text: Expression, column: Column) -> Expression:
    from pyspark.sql import functions as F  # noqa: N812

    if column.type == "string":
        return text
    trimmed = F.trim(text)
    if column.format is not None and column.type in ("date", "timestamp"):
        shaped = F.when(trimmed.rlike(pattern_shape(column.format)), trimmed)
        moment = F.try_to_timestamp(shaped, F.lit(column.format))
        return _within(moment.cast(SPARK_TYPES[column.type]), column.type)
    value = F.when(trimmed.rlike(SPELLINGS[column.type]), trimmed).try_cast(SPARK_TYPES[column.type])
    if column.type == "double":
        special = F.when(trimmed.isin(*NOT_A_NUMBER), F.lit(float("nan")))
        special = special.when(trimmed.isin(*INFINITE), F.lit(float("inf")))
        special = special.when(trimmed.isin(*INFINITE_BELOW), F.lit(float("-inf")))
        lost = (F.abs(value) == F.lit(float("inf"))) | ((value == 0) & trimmed.rlike(NOT_ZERO))
        return special.when(~lost, value)
    return _within(value, column.type)


def _within(value: Expression, kind: ColumnType) -> Expression:
    """The value, NULL where it lies before the first or behind the last one of its type."""
    from pyspark.sql import functions as F  # noqa: N812

    if (ends := ENDS.get(kind)) is None:
        return value
    first, last = (F.expr(literal(end, kind)) for end in ends)
    return F.when(value.between(first, last), value)
