"""The SQL aggregates that table rules need: each once, however many rules need it.

All of them are order-free (promise P5). Sums of whole numbers go through decimal. Other sums are taken in a
second pass, of whole multiples of a unit: each value's distance from the middle of the column's range, in
units of 2^-52 of that range. So they are exact to the engine and the same in any order, and their error is at
most half a unit a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from catalog.contract import ColumnType
from catalog.expressions.spark_sql import all_of, quoted

Function = Literal[
    "rows",
    "present",
    "nan",
    "infinite",
    "min",
    "max",
    "total",
    "distinct",
    "median",
    "quantile",
    "matching",
    "mode",
]
UNIT_BITS: Final = 52
INFINITY: Final = "'inf'"
LEAST: Final = 5e-324
"""The least number above 0."""


@dataclass(frozen=True)
class Measure:
    """One aggregate: a function of a column's values (or of rows), of the rows where a condition holds.

    `matching` counts the rows where `detail`, a condition, holds; `quantile` takes its number as text.
    """

    function: Function
    column: str | None = None
    type: ColumnType | None = None
    where: str | None = None
    detail: str = ""

    def to(self, function: Function, detail: str = "") -> Measure:
        """Another aggregate of the same column and rows."""
        if function == "rows":
            return replace(self, function=function, column=None, type=None)
        return replace(self, function=function, detail=detail)

    def each(self, *functions: Function) -> tuple[Measure, ...]:
        """Several aggregates of the same column and rows."""
        return tuple(map(self.to, functions))

    def odd(self, functions: tuple[Function, ...]) -> tuple[Function, ...]:
        """Those of the aggregates that count numbers without an order, which only doubles have."""
        return functions if self.type == "double" else ()

    def sql(self) -> str:
        """The aggregate as Spark SQL.

        Times come as microseconds and days since 1970. NaN is counted by `nan` and left out of all others.
        """
        value, number = self._value(), self._chosen(self.number)
        distinct = f"{value} + 0.0D" if self.type == "double" else value
        matching = all_of([part for part in (self.where, self.detail) if part])
        made: dict[Function, str] = {
            "rows": f"count(case when {matching} then 1 end)",
            "matching": f"count(case when {matching} then 1 end)",
            "present": f"count({self._chosen(value)})",
            "nan": f"count({self._chosen(f'case when isnan({value}) then 1 end')})",
            "infinite": f"count({self._chosen(f'case when abs({value}) = double({INFINITY}) then 1 end')})",
            "min": f"min({number})",
            "max": f"max({number})",
            "total": f"sum({self._chosen(f'cast({value} as decimal(38, 0))')})",
            "distinct": f"count(distinct {self._chosen(distinct)})",
            "median": f"percentile({number}, 0.5)",
            "quantile": f"percentile_disc({self.detail}) within group (order by {number})",
        }
        return made[self.function]

    @property
    def ordered(self) -> bool:
        """Whether it is a quantile of whole numbers, which engines find of doubles."""
        return self.type == "integer" and self.function in ("median", "quantile")

    def reach_sql(self) -> str:
        """The column's greatest distance from zero."""
        return f"max(abs({self._chosen(f'cast({self._value()} as double)')}))"

    def spread_sql(self, centre: float, unit: float) -> tuple[str, str]:
        """The second pass of a column's sums: distances from the centre and their squares, in whole units."""
        away = f"{self.number} - {centre!r}D"
        if isinstance(centre, int):  # a double can hold the distance of two whole numbers that it can't hold
            exact = f"cast({self._value()} as decimal(38, 0)) - cast({centre} as decimal(38, 0))"
            away = f"cast({exact} as double)"
        steps = f"(({away}) / {unit!r}D)"
        square = f"{steps} * {steps} / {2.0**UNIT_BITS!r}D"
        first, second = (self._chosen(f"cast(round({part}) as decimal(38, 0))") for part in (steps, square))
        return f"sum({first})", f"sum({second})"

    def _value(self) -> str:
        return quoted(self.column) if self.column is not None else "1"

    @property
    def number(self) -> str:
        """The column as a value that has an order, and the same text on both engines."""
        value = self._value()
        if self.type == "timestamp":
            return f"unix_micros({value})"
        if self.type == "date":
            return f"datediff({value}, date'1970-01-01')"
        return f"case when not isnan({value}) then {value} end" if self.type == "double" else value

    def _chosen(self, value: str) -> str:
        return f"case when {self.where} then {value} end" if self.where else value


@dataclass(frozen=True)
class Spread:
    """A column's numbers: how many, their sum, and the sum of squared distances from their mean."""

    count: int
    total: float | int
    squares: float

    @property
    def mean(self) -> float | Fraction | None:
        """The mean, of whole numbers exactly; None of nothing."""
        if not self.count:
            return None
        return Fraction(self.total, self.count) if isinstance(self.total, int) else self.total / self.count

    @property
    def stdev(self) -> float | None:
        """The sample's standard deviation; None below two values."""
        return math.sqrt(max(self.squares, 0.0) / (self.count - 1)) if self.count > 1 else None


def scale(low: float, high: float) -> tuple[float, float]:
    """The centre and unit that a column's sums are taken with, from its least and greatest value.

    The unit is a power of two; 1 where all values are the same. Of whole numbers the centre is one.
    """
    centre = (low + high) // 2 if isinstance(low, int) and isinstance(high, int) else low / 2 + high / 2
    reach = float(max(high - centre, centre - low))
    return centre, max(2.0 ** (math.frexp(reach)[1] - UNIT_BITS), LEAST) if reach else 1.0


def spread(count: int, centre: float, unit: float, sums: tuple[Decimal | None, Decimal | None]) -> Spread:
    """A column's mean and squares, from the sums of its second pass."""
    first, second = (int(item or 0) for item in sums)
    if not count:
        return Spread(0, 0.0, 0.0)
    steps = second * 2.0**UNIT_BITS - first * first / count
    return Spread(count, centre * count + first * unit, steps * unit * unit)


def unique(measures: Iterable[Measure]) -> tuple[Measure, ...]:
    """Each measure once, in the order of first use."""
    return tuple(dict.fromkeys(measures))


@dataclass(frozen=True)
class AggregateRequest:
    """What one table rule needs: aggregates, and the column whose sums take a second pass."""

    measures: tuple[Measure, ...]
    spread: Measure | None = None


@dataclass(frozen=True)
class AggregateResults:
    """Values of aggregates by measure, and spreads by the measure that requested them."""

    measures: Mapping[Measure, Any]
    spreads: Mapping[Measure, Spread]


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY, _MICROSECOND = timedelta(days=1), timedelta(microseconds=1)


def comparable(value: Any, kind: ColumnType) -> Any:
    """A bound as the number that the column's least and greatest value come as."""
    if kind == "date" and isinstance(value, str):
        return (date.fromisoformat(value) - _EPOCH.date()).days
    if kind == "timestamp" and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    return value


def shown_value(value: Any, kind: ColumnType) -> Any:
    """An aggregate's value as reports show it: dates and times as ISO text.

    One outside the years 1 to 9999, which an older release let pass, shows as before or after their first or
    last: Python has no other years.
    """
    if value is None:
        return None
    if kind == "date":
        return _shown_time(_EPOCH.date(), _DAY, value, date.min, date.max)
    if kind == "timestamp":
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return _shown_time(_EPOCH, _MICROSECOND, value, first, last)
    return value


def _shown_time(epoch: date, step: timedelta, steps: int, first: date, last: date) -> str:
    if steps < (first - epoch) // step:
        return f"before {first.isoformat()}"
    if steps > (last - epoch) // step:
        return f"after {last.isoformat()}"
    return (epoch + step * steps).isoformat()
