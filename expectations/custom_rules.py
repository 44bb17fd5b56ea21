"""Expectations that Lakegate's gate alone answers, registered with Great Expectations so that suites hold and report them.

What they ask (a drop's delivery, delivered text, the published table, another dataset's version) no batch of GX has.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.model_field_types import ConditionParser
from great_expectations.expectations.row_conditions import RowConditionType


class AskedOfTheGate(BatchExpectation):  # type: ignore[misc]
    """A rule that GX can hold and report; only Lakegate's plan can answer it."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    mostly: float = 1
    row_condition: RowConditionType = None
    condition_parser: ConditionParser | None = None

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:  # noqa: ARG002
        what = f"{type(self).__name__} is answered by Lakegate's gate; a batch alone can't"
        raise TypeError(what)


class ExpectRecordsNotToRepeatTheHeader(AskedOfTheGate):
    """Expect no record to be the header again, as in a file that was put together of several exports."""

    column_list: list[str]
    header: list[str]


class ExpectLastRecordToHaveALineEnd(AskedOfTheGate):
    """Expect the delivered file to end in a line end, as a file that was cut does not."""


class ExpectRowsToSatisfy(AskedOfTheGate):
    """Expect a condition, Spark SQL over a row's own columns, not to be false."""

    condition: str


class ExpectColumnValuesToBeBeforeDelivery(AskedOfTheGate):
    """Expect no value after the drop's delivery."""

    column: str
    tolerance_seconds: int = 0


class ExpectColumnValuesToBeBeforeCutoff(AskedOfTheGate):
    """Expect every value before a cut-off, which is a value or another column."""

    column: str
    cutoff: str | None = None
    cutoff_column: str | None = None
    or_equal: bool = False


class ExpectColumnTextToStateItsOffset(AskedOfTheGate):
    """Expect every delivered time to say its offset from UTC."""

    column: str


class ExpectLocalTimeToExist(AskedOfTheGate):
    """Expect no local time in the hour that clocks skip."""

    column: str
    time_zone: str


class ExpectLocalTimeToBeUnambiguous(AskedOfTheGate):
    """Expect no local time in the hour that clocks show twice."""

    column: str
    time_zone: str


class ExpectNestedFieldsToBeAsDeclared(AskedOfTheGate):
    """Expect one thing of the inside of JSON values: a field's type, that it is there, or that no others are."""

    column: str
    check: str
    path: str
    type: str | None = None


class ExpectKeyToStandOnce(AskedOfTheGate):
    """Expect each key in one row; of several the first, the last or none is kept."""

    column_list: list[str]
    keep: str
    order_by: list[str] | None = None


class ExpectRowsToBeDistinct(AskedOfTheGate):
    """Expect no row to be the same as an earlier one in all columns."""


class ExpectRowsNotToBeDeliveredAgain(AskedOfTheGate):
    """Expect at most a share of a drop's rows to stand in the published table already."""

    max_share: float
    column_list: list[str] | None = None


class ExpectNoBurstOfRepeats(AskedOfTheGate):
    """Expect at most so many rows that agree in these columns."""

    column_list: list[str]
    max_repeats: int


class ExpectNoOverlapBetweenSplits(AskedOfTheGate):
    """Expect no key in more than one split."""

    column_list: list[str]
    split_column: str


class ExpectColumnsToDetermine(AskedOfTheGate):
    """Expect no key with two values (a functional dependency); `keep: majority` lets the value pass that most rows of a key have."""

    column_list: list[str]
    column: str
    keep: str | None = None


class ExpectCompoundColumnsToExistInReference(AskedOfTheGate):
    """Expect the values of several columns to stand together in a row of another dataset's pinned version."""

    column_list: list[str]
    reference: str
    reference_column_list: list[str]


class ExpectColumnToAgreeWithReference(AskedOfTheGate):
    """Expect a column to say of a key what another dataset's pinned version says."""

    column: str
    on: list[str]
    reference: str
    reference_on: list[str]
    reference_column: str


class ExpectSumToAgreeWithReference(AskedOfTheGate):
    """Expect a column's sums to be the totals that another dataset delivers."""

    column: str
    reference: str
    reference_column: str
    by: list[str] | None = None
    reference_by: list[str] | None = None
    tolerance: float = 0


class ExpectColumnValuesToBeWithinWatermark(AskedOfTheGate):
    """Expect no value too long before the greatest one that was published."""

    column: str
    max_late_seconds: int


class ExpectColumnOffsetsToAgree(AskedOfTheGate):
    """Expect delivered times to state one offset from UTC."""

    column: str


class ExpectSeriesToHaveNoGaps(AskedOfTheGate):
    """Expect a time in every step between the first and the last of each series."""

    column: str
    step_seconds: int
    by: list[str] | None = None
    max_missing: int = 0
