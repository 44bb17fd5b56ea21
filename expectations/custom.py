"""Lakegate's own expectations, registered with Great Expectations so that a suite with them stays a GX suite.

Importing this module imports GX (six seconds): only the modules that evaluate or render a suite do.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import ColumnMapMetricProvider, column_condition_partial
from pyspark.sql import functions as F  # noqa: N812  (the name that Spark's documentation uses)

import expectations.custom_distribution  # noqa: F401  (registers them)
from expectations.custom_rules import AskedOfTheGate
from expectations.frame import reference_marker, text_column


class OfDeclaredType(ColumnMapMetricProvider):  # type: ignore[misc]
    """A value is of its declared type unless text was delivered that could not be read as that type."""

    condition_metric_name = "column_values.of_declared_type"
    condition_value_keys = ("type", "format")
    filter_column_isnull = False

    @column_condition_partial(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(cls, column: Any, _metrics: dict[str, Any], _accessor_domain_kwargs: dict[str, Any], **_: Any) -> Any:  # noqa: N805
        text = text_column(_accessor_domain_kwargs["column"])
        return ~(F.col(text).isNotNull() & column.isNull()) if text in _metrics["table.columns"] else F.lit(True)


class ExpectColumnValuesToBeOfDeclaredType(ColumnMapExpectation):  # type: ignore[misc]
    """Expect delivered text to be readable as the column's declared type (NULL is)."""

    map_metric: ClassVar[str] = "column_values.of_declared_type"
    success_keys: ClassVar[tuple[str, ...]] = ("type", "format", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "type")
    type: str
    format: str | None = None


class InReference(ColumnMapMetricProvider):  # type: ignore[misc]
    """A value is in the reference if the join with the reference's pinned version found it; NULL points nowhere."""

    condition_metric_name = "column_values.in_reference"
    condition_value_keys = ("reference", "reference_column")

    @column_condition_partial(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(cls, column: Any, reference: str, _accessor_domain_kwargs: dict[str, Any], **_: Any) -> Any:  # noqa: ARG002, N805
        return F.col(reference_marker(_accessor_domain_kwargs["column"], reference)).isNotNull()


class ExpectColumnValuesToExistInReference(ColumnMapExpectation):  # type: ignore[misc]
    """Expect every value to exist in a column of another dataset's pinned version (a foreign key)."""

    map_metric: ClassVar[str] = "column_values.in_reference"
    success_keys: ClassVar[tuple[str, ...]] = ("reference", "reference_column", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "reference", "reference_column")
    reference: str
    reference_column: str


class ExpectTableColumnsToBeUnique(BatchExpectation):  # type: ignore[misc]
    """Expect no column name to stand twice in a delivery's header, in whatever case."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.columns",)
    success_keys: ClassVar[tuple[str, ...]] = ()

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:  # noqa: ARG002
        twice = sorted(name for name, count in Counter(column.lower() for column in metrics["table.columns"]).items() if count > 1)
        return {"success": not twice, "result": {"observed_value": len(twice)}}


class ExpectTableColumnsToBeInSet(BatchExpectation):  # type: ignore[misc]
    """Expect a delivery's header to name no other columns than these."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.columns",)
    success_keys: ClassVar[tuple[str, ...]] = ("column_set",)
    column_set: list[str]

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:  # noqa: ARG002
        others = sorted(set(metrics["table.columns"]) - set(self.column_set))
        return {"success": not others, "result": {"observed_value": len(others)}}


class ExpectRecordsToBeReadable(AskedOfTheGate):
    """Expect at most a share or a number of a delivery's records to be unreadable."""

    success_keys: ClassVar[tuple[str, ...]] = ("max_share", "max_rows")
    max_share: float | None = None
    max_rows: int | None = None


class ExpectQuarantinedShareToBeAtMost(AskedOfTheGate):
    """Expect at most a share or a number of a drop's rows to be set aside."""

    success_keys: ClassVar[tuple[str, ...]] = ("max_share", "max_rows")
    max_share: float | None = None
    max_rows: int | None = None


class ExpectTableNotToShrink(AskedOfTheGate):
    """Expect a version that takes the place of the one before to lose at most a share of its rows."""

    success_keys: ClassVar[tuple[str, ...]] = ("max_share",)
    max_share: float


class ExpectDeliveredNameToBeNew(AskedOfTheGate):
    """Expect that no other published drop of an append dataset was delivered under this file name."""

    success_keys: ClassVar[tuple[str, ...]] = ()
