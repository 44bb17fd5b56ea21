"""Expectations about distributions, registered with Great Expectations so that a suite with them stays a GX suite.

GX can hold and report them. It can't answer them: it knows neither baselines nor histograms that were taken before.
Importing this module imports GX (six seconds).
"""

from __future__ import annotations

from typing import ClassVar

from expectations.custom_rules import AskedOfTheGate


class ExpectColumnDistributionToStayClose(AskedOfTheGate):
    """Expect a column's distribution to lie near that of a baseline version, by a statistic, or chance to explain the rest."""

    success_keys: ClassVar[tuple[str, ...]] = ("column", "baseline", "statistic", "max_value", "significance", "history")
    column: str
    baseline: str
    statistic: str
    max_value: float
    significance: float | None = None
    history: int | None = None


class ExpectColumnDistributionsToStayClose(AskedOfTheGate):
    """Expect the distribution of each of several columns to lie near that of a baseline version."""

    success_keys: ClassVar[tuple[str, ...]] = ("column_list", "baseline", "statistic", "max_value", "significance", "history")
    column_list: list[str]
    baseline: str
    statistic: str
    max_value: float
    significance: float | None = None
    history: int | None = None


class ExpectColumnNullShareToStayClose(AskedOfTheGate):
    """Expect the share of NULL in a column to lie near that of a baseline version, or chance to explain the rest."""

    success_keys: ClassVar[tuple[str, ...]] = ("column", "baseline", "max_change", "significance", "history")
    column: str
    baseline: str
    max_change: float
    significance: float | None = None
    history: int | None = None


class ExpectColumnNullSharesToStayClose(AskedOfTheGate):
    """Expect the share of NULL in each of several columns to lie near that of a baseline version."""

    success_keys: ClassVar[tuple[str, ...]] = ("column_list", "baseline", "max_change", "significance", "history")
    column_list: list[str]
    baseline: str
    max_change: float
    significance: float | None = None
    history: int | None = None


class ExpectColumnMajorityShareToBeAtMost(AskedOfTheGate):
    """Expect no value to hold more than a share of a column's rows, unless one did in a baseline version."""

    success_keys: ClassVar[tuple[str, ...]] = ("column", "max_share", "baseline")
    column: str
    max_share: float
    baseline: str | None = None


class ExpectColumnMajoritySharesToBeAtMost(AskedOfTheGate):
    """Expect no value to hold more than a share of the rows, in each of several columns, unless one did in a baseline version."""

    success_keys: ClassVar[tuple[str, ...]] = ("column_list", "max_share", "baseline")
    column_list: list[str]
    max_share: float
    baseline: str | None = None


class ExpectColumnGroupSharesToBeCloseTo(AskedOfTheGate):
    """Expect the shares of a column's values to lie near those of a reference."""

    success_keys: ClassVar[tuple[str, ...]] = ("column", "shares", "max_difference")
    column: str
    shares: dict[str, float]
    max_difference: float


class ExpectColumnOutlierShareToBeAtMost(AskedOfTheGate):
    """Expect at most a share of a column's numbers to lie beyond fences that the column itself gives."""

    success_keys: ClassVar[tuple[str, ...]] = ("column", "method", "factor", "max_share")
    column: str
    method: str
    max_share: float
    factor: float | None = None


class ExpectColumnOutliersNotToCluster(AskedOfTheGate):
    """Expect at most a share of a column's outliers to share one value of another column."""

    success_keys: ClassVar[tuple[str, ...]] = ("column", "group_by", "factor", "max_share")
    column: str
    group_by: str
    max_share: float
    factor: float | None = None
