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
    """The SQL's result, in the columns and types of the contract, and the query.

    Args:
        engine: Runs it.
        contract: The feature table's, with its SQL.
        inputs: The rows of each input, by its table's name.
        keys: The keys of those inputs that are feature tables.

    Raises:
        ContractError: The SQL doesn't fit the columns of the inputs, which may be those of an earlier
            contract.
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
    known = {name: _TYPES[kind] for name, kind in types.items() if kind in _TYPES and name not in PROVENANCE}
    return [Column(name, kind) for name, kind in known.items()]


@contextlib.contextmanager
def failing_sql(contract: Contract) -> Iterator[None]:
    """Name the feature whose result the engine can't compute; the same inputs would fail again."""
    try:
        yield
    except LakegateError as error:
        if type(error) is not LakegateError:  # not the engine's: keys, the store, a lost connection
            raise
        what = f"the SQL of {contract.name} can't be computed: {error.what}"
        fix = "nothing was published; ask less at once, column by column, and see which one it is; "
        fix += "where that is right, report it"
        raise LakegateError(what, where=str(contract.sql_path), fix=fix) from None


def demand_numbers(engine: Engine, contract: Contract, written: DataFrame, query: FeatureQuery) -> None:
    """Refuse a whole number that its column can't hold, by what was written on the candidate.

    Raises:
        ContractError: There is one; its column, and how many rows.
    """
    if not query.checked:
        return
    too_great = f"{TOO_GREAT + 1}L - 1L"
    columns = [f"count_if({quoted(name)} = {too_great})" for name in query.checked]
    (found,) = engine.rows(written.selectExpr(*columns))
    for name, rows in zip(query.checked, found, strict=True):
        if rows:
            count = "1 row" if rows == 1 else f"{rows:,} rows"
            what = f"{contract.name}.{name} would be a whole number of more than 18 digits in {count}"
            fix = "nothing was published; compute smaller numbers, "
            fix += "or cast it to double and say number as its logicalType"
            raise ContractError(what, where=f"{contract.sql_path}:{line_of_column(contract, name)}", fix=fix)
