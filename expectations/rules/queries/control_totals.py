"""The table rule that a source's own totals decide: sums by group, added up exactly on both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from catalog.contract import Column
from catalog.expressions.spark_sql import quoted
from expectations.rules.joins import named, names, same
from expectations.rules.queries.query_rules import QueryContext, QueryRule, counted
from expectations.suite import Rule
from expectations.typed_frame import HELPER
from expectations.verdict import Outcome, table_outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FINER: Final = 24
"""A number is rounded to the tolerance's power of two over 2^24: sixteen million rows can't add up to it."""
LARGEST: Final = 2.0**62
"""Units that a number may have, so that a billion of them fit 38 digits."""
_SUMS: Final = ("own", "there", "odd", "own_n", "there_n")
"""Helper columns of a group: both sums, how many numbers have no sum, and the rows on both sides."""


@dataclass(frozen=True)
class Totals(QueryRule):
    """Sums of a column by group, compared with sums of another dataset by group; NULL adds nothing."""

    column: Column
    by: tuple[Column, ...]
    reference: str
    reference_column: str
    reference_by: tuple[str, ...]
    tolerance: float
    where: str
    complete: bool
    """Whether groups that only the reference has break the rule, as in a table that is delivered whole."""

    @property
    def unit(self) -> float:
        """The size of one step of a sum: 1 for whole numbers."""
        return 2.0 ** (math.frexp(self.tolerance)[1] - 1 - FINER) if self.column.type == "double" else 1.0

    def query(self, context: QueryContext) -> tuple[int, ...]:
        """How many groups differ, and how many there are."""
        from pyspark.sql import functions as F  # noqa: N812

        by = tuple(column.name for column in self.by)
        own = self._sums(context.where(self.where), self.column.name, by, "own")
        reference = context.tables.reference(self.reference)
        there = self._sums(reference, self.reference_column, self.reference_by, "there")
        zero = "cast(0 as decimal(38, 0))"
        totals = [
            f"coalesce(sum(cast({HELPER}{name} as decimal(38, 0))), {zero}) as {HELPER}{name}"
            for name in _SUMS
        ]
        keys = names(self._parts(by), f"{HELPER}k")
        both = own.unionByName(there).groupBy(*keys).agg(*map(F.expr, totals))
        n, other, odd = (f"{HELPER}{name}" for name in ("own_n", "there_n", "odd"))
        differ = f"abs({HELPER}own - {HELPER}there) > {math.floor(self.tolerance / self.unit)} or {odd} > 0"
        alone = f"({n} > 0 and {other} = 0)" + (f" or ({n} = 0 and {other} > 0)" if self.complete else "")
        broken = f"case when {alone} or ({n} > 0 and {other} > 0 and ({differ})) then 1 end"
        return counted(context.collect, both, f"count({broken})", f"count(case when {n} > 0 then 1 end)")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken by one group that differs."""
        groups, of = numbers or (0, 0)
        what = f"{groups} of {of} groups"
        if not self.by:
            what = f"the sum {'differs' if groups else 'agrees'}: {groups} of {of}"
        words = f"{what} differ from the totals in {self.reference}"
        return table_outcome(rule, broken=groups > 0, words=words, observed_value=groups)

    def _parts(self, by: tuple[str, ...]) -> list[str]:
        return same(Column(name, column.type) for name, column in zip(by, self.by, strict=True)) or ["1"]

    def _sums(self, frame: DataFrame, column: str, by: tuple[str, ...], side: str) -> DataFrame:
        """Groups with their sum and rows under the side's name, and zeros under the other's."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, value = self._parts(by), quoted(column)
        units, odd = f"cast({value} as decimal(38, 0))", "false"
        if self.column.type == "double":
            steps = f"{value} / {self.unit!r}D"
            fits = f"abs({steps}) < {LARGEST!r}D"  # neither NaN nor infinite numbers do, on either engine
            units = (
                f"case when {fits} and not isnan({value}) "
                f"then cast(cast(round({steps}) as bigint) as decimal(38, 0)) end"
            )
            odd = f"not ({fits}) or isnan({value})"
        rows = frame.selectExpr(
            *named(parts, f"{HELPER}k"), f"{units} as {HELPER}u", f"case when {odd} then 1 end as {HELPER}o"
        )
        sums = [
            f"sum({HELPER}u) as {HELPER}{side}",
            f"count({HELPER}o) as {HELPER}odd",
            f"count(1) as {HELPER}{side}_n",
        ]
        keys, other = names(parts, f"{HELPER}k"), "there" if side == "own" else "own"
        groups = rows.groupBy(*keys).agg(*map(F.expr, sums))
        zeros = (f"cast(0 as decimal(38, 0)) as {HELPER}{other}", f"0L as {HELPER}{other}_n")
        return groups.selectExpr("*", *zeros).select(*keys, *[f"{HELPER}{name}" for name in _SUMS])
