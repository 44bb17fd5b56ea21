"""The table rule that a source's own totals decide: sums by group, added up exactly on both sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from catalog.contract import Column
from catalog.expressions.spark_sql import quoted
from expectations.rules.joins import named, names, same
from expectations.rules.query_rules import QueryContext, QueryRule, counted, outcome
from expectations.suite import Rule
from expectations.typed_frame import HELPER
from expectations.verdict import Outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FINER: Final = 24
"""A number is rounded to the tolerance's power of two over 2^24: sixteen million rows can't add up to it."""
LARGEST: Final = 2.0**62
"""Units that a number may have, so that a billion of them fit 38 digits."""


@dataclass(frozen=True)
class Totals(QueryRule):
    """Sums of a column by group, held against sums of another dataset's column by its groups; NULL adds nothing."""

    column: Column
    by: tuple[Column, ...]
    reference: str
    reference_column: str
    reference_by: tuple[str, ...]
    tolerance: float
    where: str
    complete: bool
    """Whether groups that the reference alone has count: of a table that is delivered whole they do."""

    @property
    def unit(self) -> float:
        """What a sum counts: 1 of whole numbers."""
        return 2.0 ** (math.frexp(self.tolerance)[1] - 1 - FINER) if self.column.type == "double" else 1.0

    def ask(self, asked: QueryContext) -> tuple[int, ...]:
        """How many groups differ, and how many there are."""
        own = self._sums(
            asked.where(self.where), self.column.name, tuple(column.name for column in self.by), "own"
        )
        there = self._sums(
            asked.tables.reference(self.reference), self.reference_column, self.reference_by, "there"
        )
        keys = names(self._parts(tuple(column.name for column in self.by)), f"{HELPER}k")
        both = own.unionByName(there).groupBy(*keys).agg(*self._added())
        n, other, odd = (f"{HELPER}{name}" for name in ("own_n", "there_n", "odd"))
        differ = f"abs({HELPER}own - {HELPER}there) > {math.floor(self.tolerance / self.unit)} or {odd} > 0"
        alone = f"({n} > 0 and {other} = 0)" + (f" or ({n} = 0 and {other} > 0)" if self.complete else "")
        broken = f"case when {alone} or ({n} > 0 and {other} > 0 and ({differ})) then 1 end"
        return counted(asked.collect, both, f"count({broken})", f"count(case when {n} > 0 then 1 end)")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken by one group that differs."""
        groups, of = numbers or (0, 0)
        what = (
            f"{groups} of {of} groups"
            if self.by
            else f"the sum {'differs' if groups else 'agrees'}: {groups} of {of}"
        )
        return outcome(
            rule, ok=not groups, seen=groups, told=f"{what} differ from the totals in {self.reference}"
        )

    def _parts(self, by: tuple[str, ...]) -> list[str]:
        return same(Column(name, column.type) for name, column in zip(by, self.by, strict=True)) or ["1"]

    def _sums(self, frame: DataFrame, column: str, by: tuple[str, ...], side: str) -> DataFrame:
        """Groups with their sum under the side's name, and nothing under the other's."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, value = self._parts(by), quoted(column)
        units, odd = f"cast({value} as decimal(38, 0))", "false"
        if self.column.type == "double":
            fits = f"abs({value} / {self.unit!r}D) < {LARGEST!r}D"  # neither NaN nor infinite numbers do, on either engine
            units = f"case when {fits} and not isnan({value}) then cast(cast(round({value} / {self.unit!r}D) as bigint) as decimal(38, 0)) end"
            odd = f"not ({fits}) or isnan({value})"
        rows = frame.selectExpr(
            *named(parts, f"{HELPER}k"), f"{units} as {HELPER}u", f"case when {odd} then 1 end as {HELPER}o"
        )
        sums = [
            f"sum({HELPER}u) as {HELPER}{side}",
            f"count({HELPER}o) as {HELPER}odd",
            f"count(1) as {HELPER}{side}_n",
        ]
        other = "there" if side == "own" else "own"
        found = rows.groupBy(*names(parts, f"{HELPER}k")).agg(*[F.expr(item) for item in sums])
        return found.selectExpr(
            "*", f"cast(0 as decimal(38, 0)) as {HELPER}{other}", f"0L as {HELPER}{other}_n"
        ).selectExpr(
            *names(parts, f"{HELPER}k"),
            *[f"{HELPER}{name}" for name in ("own", "there", "odd", "own_n", "there_n")],
        )

    @staticmethod
    def _added() -> list[object]:
        from pyspark.sql import functions as F  # noqa: N812

        return [
            F.expr(
                f"coalesce(sum(cast({HELPER}{name} as decimal(38, 0))), cast(0 as decimal(38, 0))) as {HELPER}{name}"
            )
            for name in ("own", "there", "odd", "own_n", "there_n")
        ]
