"""Row rules without SQL: Great Expectations evaluates them, at the cost of its import and its queries.

A row rule's predicate is taken out of GX's metric registry (`<map_metric>.condition`), so that it joins the
one pass. These are GX internals, hence the exact pin and the parity tests. An exception of GX becomes an
error of that name, never a verdict.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from catalog.expressions.spark_sql import all_of
from catalog.rules.arguments import SPARK_NAMES
from expectations.rules.row_rules import within
from expectations.suite import Rule
from expectations.typed_frame import Columns
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def row_predicates(rules: tuple[Rule, ...], frame: DataFrame, columns: Columns) -> dict[str, Column]:
    """For each row rule, a boolean column that is true where the row breaks it, and never NULL.

    Raises:
        ContractError: GX doesn't decide a rule row by row, or not for these columns.
    """
    from great_expectations.execution_engine import SparkDFExecutionEngine
    from great_expectations.execution_engine.sparkdf_batch_data import SparkDFBatchData

    # A persisted frame would be one more job and its memory.
    engine = SparkDFExecutionEngine(spark=frame.sparkSession, persist=False)
    engine.load_batch_data("frame", SparkDFBatchData(engine, frame))
    return {rule.id: _predicate(rule, engine, columns) for rule in rules}


def _predicate(rule: Rule, engine: Any, columns: Columns) -> Column:
    from great_expectations.expectations.registry import get_expectation_impl, get_metric_kwargs
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from pyspark.sql import functions as F  # noqa: N812

    # The plan evaluates a row condition itself, once, in Spark SQL.
    conditions = ("row_condition", "condition_parser")
    own = {key: value for key, value in rule.kwargs.items() if key not in conditions}
    with _gx_errors(rule):
        expectation = get_expectation_impl(rule.type)(**own)
        name = f"{expectation.map_metric}.condition"
        given = get_metric_kwargs(name, configuration=expectation.configuration)
        domain = {**given["metric_domain_kwargs"], "batch_id": "frame"}
        metric = MetricConfiguration(name, domain, given["metric_value_kwargs"])
        broken = _resolve(metric, engine, columns)[0]
    return F.coalesce(broken & F.expr(all_of(within(rule, columns))), F.lit(False))


@contextlib.contextmanager
def _gx_errors(rule: Rule) -> Iterator[None]:
    """GX's errors as ours, by their name alone: their text can hold values (P6)."""
    try:
        yield
    except Exception as error:
        what = f"Great Expectations can't evaluate {rule.type} ({type(error).__name__})"
        fix = "check the rule's arguments in the contract or suite"
        raise ContractError(what, where=f"rule {rule.id}", fix=fix) from error


def _resolve(metric: Any, engine: Any, columns: Columns) -> Any:
    """The value of a metric: what its provider makes of the metrics that it depends on.

    For a row condition that is a Spark column and arguments, and no dependency is a query.
    """
    from great_expectations.expectations.registry import get_metric_provider

    if (known := _TABLE_METRICS.get(metric.metric_name)) is not None:
        return known(columns)
    provider_class, provider = get_metric_provider(metric.metric_name, engine)
    needs = provider_class.get_evaluation_dependencies(metric=metric, execution_engine=engine)
    values = {key: _resolve(need, engine, columns) for key, need in needs.items()}
    return provider(
        cls=provider_class,
        execution_engine=engine,
        metric_domain_kwargs=metric.metric_domain_kwargs,
        metric_value_kwargs=metric.metric_value_kwargs or {},
        metrics=values,
        runtime_configuration={},
    )


_TABLE_METRICS: dict[str, Any] = {
    "table.columns": list,
    "table.column_types": lambda columns: [
        {"name": name, "type": f"{SPARK_NAMES[column.type]}()"} for name, column in columns.items()
    ],
    "table.row_count": lambda _: 0,
}
