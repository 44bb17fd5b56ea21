"""The result of a feature's SQL over pinned inputs, and what is refused of it before anybody can read it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from catalog.contract import Column, Contract
from catalog.expressions.spark_sql import SPARK_TYPES, quoted
from catalog.queries.feature_query import TOO_GREAT, FeatureQuery, feature_query, line_of_column
from expectations.typed_frame import PROVENANCE
from lake.engine.engine import Engine
from lake.engine.errors import engine_errors
from lakegate.errors import ContractError, LakegateError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TYPES: Final = {sql: kind for kind, sql in SPARK_TYPES.items()}


def result_of(
    engine: Engine, contract: Contract, inputs: Mapping[str, DataFrame], *, keys: Mapping[str, Sequence[str]]
) -> tuple[DataFrame, FeatureQuery]:
    """The SQL's result, in the columns and types of the contract; each input goes by its table's name, `keys` are those of feature tables.

    Raises:
        ContractError: The SQL doesn't fit the columns that the inputs have, which may be those of an earlier contract.
    """
    with engine_errors(f"opening the inputs of {contract.name}"):
        columns = {table: _columns(frame) for table, frame in inputs.items()}
        for table, frame in inputs.items():
            frame.createOrReplaceTempView(table)
    query = feature_query(contract, columns, keys=keys)
    with failing_sql(contract), engine_errors("reading it"):
        return engine.spark.sql(query.sql), query


def _columns(frame: DataFrame) -> Sequence[Column]:
    types = {field.name: field.dataType.simpleString() for field in frame.schema}
    return [
        Column(name, _TYPES[kind])
        for name, kind in types.items()
        if kind in _TYPES and name not in PROVENANCE
    ]


@contextlib.contextmanager
def failing_sql(contract: Contract) -> Iterator[None]:
    """Name the feature where an engine can't give its result; that is final, for the same inputs would fail again."""
    try:
        yield
    except LakegateError as error:
        if type(error) is not LakegateError:  # not the engine's: keys, the store, a lost connection
            raise
        what = f"the SQL of {contract.name} can't be computed: {error.what}"
        fix = "nothing was published; ask less at once, column by column, and see which one it is; where that is right, report it"
        raise LakegateError(what, where=str(contract.sql_path), fix=fix) from None


def demand_numbers(engine: Engine, contract: Contract, written: DataFrame, query: FeatureQuery) -> None:
    """Refuse a whole number that its column can't hold, by what was written on the candidate.

    Raises:
        ContractError: There is one; its column, and how many rows.
    """
    if not query.checked:
        return
    (found,) = engine.rows(
        written.selectExpr(*(f"count_if({quoted(name)} = {TOO_GREAT + 1}L - 1L)" for name in query.checked))
    )
    for name, rows in zip(query.checked, found, strict=True):
        if rows:
            what = f"{contract.name}.{name} would be a whole number of more than 18 digits in {rows:,} {'row' if rows == 1 else 'rows'}"
            fix = "nothing was published; compute smaller numbers, or cast it to double and say number as its logicalType"
            raise ContractError(what, where=f"{contract.sql_path}:{line_of_column(contract, name)}", fix=fix)
