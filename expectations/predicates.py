"""Great Expectations' own per-row predicates, taken out of its metric registry so that one pass can evaluate them all.

These are GX internals (`<map_metric>.condition`), hence the exact pin of GX and the parity tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.suite import Rule
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def row_predicates(rules: tuple[Rule, ...], frame: DataFrame, types: dict[str, str]) -> dict[str, Column]:
    """For each row rule, a boolean column that is true where the row breaks it, and never NULL.

    GX keeps NULLs and rows outside a rule's domain out of its counts; the same holds here. `types` are the frame's
    columns with Spark's type names: handed over, because asking the engine for a plan's schema costs more than the plan.

    Raises:
        ContractError: A rule is not one that GX decides row by row, or can't be asked of this frame.
    """
    from great_expectations.execution_engine import SparkDFExecutionEngine
    from great_expectations.execution_engine.sparkdf_batch_data import SparkDFBatchData

    engine = SparkDFExecutionEngine(spark=frame.sparkSession, persist=False)  # a persisted frame is one more job and its memory
    engine.load_batch_data("frame", SparkDFBatchData(engine, frame))
    return {rule.id: _predicate(rule, engine, types) for rule in rules}


def _predicate(rule: Rule, engine: Any, types: dict[str, str]) -> Column:
    from great_expectations.expectations.registry import get_expectation_impl, get_metric_kwargs
    from great_expectations.validator.metric_configuration import MetricConfiguration
    from pyspark.sql import functions as F  # noqa: N812

    import expectations.custom

    assert expectations.custom  # noqa: S101  (imported for its registrations)
    try:
        expectation = get_expectation_impl(rule.type)(**_portable(rule.kwargs))
        name = f"{expectation.map_metric}.condition"
        kwargs = get_metric_kwargs(name, configuration=expectation.configuration)
        domain = dict(kwargs["metric_domain_kwargs"]) | {"batch_id": "frame"}
        metric = MetricConfiguration(name, metric_domain_kwargs=domain, metric_value_kwargs=kwargs["metric_value_kwargs"])
        condition, compute_domain, accessor_domain = _resolve(metric, engine, types)
    except ContractError:
        raise
    except Exception as error:
        what = f"Great Expectations can't evaluate {rule.type} ({type(error).__name__}: {error})"
        raise ContractError(what, where=f"rule {rule.id}", fix="check the rule's arguments in the contract or suite") from error
    within = _domain(domain, compute_domain, accessor_domain)
    bad = condition if within is None else condition & within
    return F.coalesce(bad, F.lit(False))


def _portable(kwargs: dict[str, Any]) -> dict[str, Any]:
    r"""A pattern that ends in `$` asked with `\z`: Java's `$` lets a line's end pass after the last character, Rust's does not."""
    regex = kwargs.get("regex")
    if isinstance(regex, str) and regex.endswith("$") and not regex.endswith("\\$"):
        return kwargs | {"regex": regex[:-1] + "\\z"}
    return kwargs


def _resolve(metric: Any, engine: Any, types: dict[str, str]) -> tuple[Column, dict[str, Any], dict[str, Any]]:
    """Call a metric's provider with what it depends on, which is never a query for a row condition."""
    from great_expectations.expectations.registry import get_metric_provider

    if (known := _TABLE_METRICS.get(metric.metric_name)) is not None:
        found: tuple[Column, dict[str, Any], dict[str, Any]] = known(types)
        return found
    provider_class, provider = get_metric_provider(metric.metric_name, engine)
    needs = provider_class.get_evaluation_dependencies(metric=metric, execution_engine=engine)
    values = {key: _resolve(need, engine, types) for key, need in needs.items()}
    resolved: tuple[Column, dict[str, Any], dict[str, Any]] = provider(
        cls=provider_class,
        execution_engine=engine,
        metric_domain_kwargs=metric.metric_domain_kwargs,
        metric_value_kwargs=metric.metric_value_kwargs or {},
        metrics=values,
        runtime_configuration={},
    )
    return resolved


_TABLE_METRICS: dict[str, Any] = {
    "table.columns": list,
    "table.column_types": lambda types: [{"name": name, "type": kind} for name, kind in types.items()],
    "table.row_count": lambda _: 0,
}


def _domain(domain: dict[str, Any], compute: dict[str, Any], accessor: dict[str, Any]) -> Column | None:
    """What GX would have filtered by before asking: `ignore_row_if` of pairs and several columns."""
    from pyspark.sql import functions as F  # noqa: N812

    if domain.get("row_condition"):
        what = "a rule with a row_condition is not supported yet"
        raise ContractError(what, fix="state the condition as a rule of its own, or leave it out")
    if "column_A" in domain:
        first, second = F.col(domain["column_A"]), F.col(domain["column_B"])
        both = {
            "both_values_are_missing": ~(first.isNull() & second.isNull()),
            "either_value_is_missing": first.isNotNull() & second.isNotNull(),
        }
        return both.get(domain.get("ignore_row_if") or "both_values_are_missing")
    _ = compute, accessor
    return None
