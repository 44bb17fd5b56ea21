"""Lakegate's own expectations, registered with Great Expectations so that a suite with them is a GX suite.

Importing this module imports GX (six seconds): only the modules that evaluate or render a suite do.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar, Final

from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.expectations.model_field_types import ConditionParser
from great_expectations.expectations.row_conditions import RowConditionType
from pyspark.sql import functions as F  # noqa: N812  (the name that Spark's documentation uses)

from catalog.rules.expectation_types import EXPECTATIONS, OWN, Expectation
from expectations.typed_frame import reference_marker, text_column


class OfDeclaredType(ColumnMapMetricProvider):  # type: ignore[misc]
    """A value is of its declared type unless text was delivered that could not be read as that type."""

    condition_metric_name = "column_values.of_declared_type"
    condition_value_keys = ("type", "format")
    filter_column_isnull = False

    @column_condition_partial(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(
        cls, column: Any, _metrics: dict[str, Any], _accessor_domain_kwargs: dict[str, Any], **_: Any
    ) -> Any:
        text = text_column(_accessor_domain_kwargs["column"])
        if text not in _metrics["table.columns"]:
            return F.lit(True)
        return ~(F.col(text).isNotNull() & column.isNull())


class ExpectColumnValuesToBeOfDeclaredType(ColumnMapExpectation):  # type: ignore[misc]
    """Expect delivered text to be readable as the column's declared type (NULL is)."""

    map_metric: ClassVar[str] = "column_values.of_declared_type"
    success_keys: ClassVar[tuple[str, ...]] = ("type", "format", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "type")
    type: str
    format: str | None = None


class InReference(ColumnMapMetricProvider):  # type: ignore[misc]
    """A value is in the reference if the join with its pinned version found it; NULL points nowhere."""

    condition_metric_name = "column_values.in_reference"
    condition_value_keys = ("reference", "reference_column")

    @column_condition_partial(engine=SparkDFExecutionEngine)  # type: ignore[untyped-decorator]
    def _spark(
        cls,
        column: Any,
        reference: str,
        reference_column: str,
        _accessor_domain_kwargs: dict[str, Any],
        **_: Any,
    ) -> Any:
        return F.col(
            reference_marker(_accessor_domain_kwargs["column"], reference, reference_column)
        ).isNotNull()


class ExpectColumnValuesToExistInReference(ColumnMapExpectation):  # type: ignore[misc]
    """Expect every value to exist in a column of another dataset's pinned version (a foreign key)."""

    map_metric: ClassVar[str] = "column_values.in_reference"
    success_keys: ClassVar[tuple[str, ...]] = ("reference", "reference_column", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "reference", "reference_column")
    reference: str
    reference_column: str


class ExpectTableColumnsToBeUnique(BatchExpectation):  # type: ignore[misc]
    """Expect no column name to be twice in a delivery's header, in whatever case."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.columns",)
    success_keys: ClassVar[tuple[str, ...]] = ()

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        counts = Counter(column.lower() for column in metrics["table.columns"])
        twice = sum(count > 1 for count in counts.values())
        return {"success": not twice, "result": {"observed_value": twice}}


class ExpectTableColumnsToBeInSet(BatchExpectation):  # type: ignore[misc]
    """Expect a delivery's header to name no other columns than these."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.columns",)
    success_keys: ClassVar[tuple[str, ...]] = ("column_set",)
    column_set: list[str]

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        others = len(set(metrics["table.columns"]) - set(self.column_set))
        return {"success": not others, "result": {"observed_value": others}}


class GateExpectation(BatchExpectation):  # type: ignore[misc]
    """A rule that GX can store and report; only Lakegate's plan can evaluate it.

    It needs what no batch of GX has: a delivery, delivered text, the published table, another dataset, or a
    histogram.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    mostly: float = 1
    row_condition: RowConditionType = None
    condition_parser: ConditionParser | None = None

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        what = f"{type(self).__name__} is answered by Lakegate's gate; a batch alone can't"
        raise TypeError(what)


EVALUATED: Final = frozenset(
    {
        "expect_column_values_to_be_of_declared_type",
        "expect_column_values_to_exist_in_reference",
        "expect_table_columns_to_be_unique",
        "expect_table_columns_to_be_in_set",
    }
)
"""Types with a class above. The table of types makes the others' classes; GX's metaclass registers all."""


def _made(name: str, kind: Expectation) -> type[GateExpectation]:
    """A type's class, with the arguments that a contract may give."""
    own = sorted(kind.arguments - GateExpectation.__fields__.keys())
    body = {
        "__module__": __name__,
        "__annotations__": dict.fromkeys(own, Any),
        "success_keys": tuple(own),
        **{argument: None for argument in own if argument not in kind.needs},
    }
    return type(name.title().replace("_", ""), (GateExpectation,), body)


MADE: Final = tuple(_made(name, EXPECTATIONS[name]) for name in sorted(OWN - EVALUATED))
