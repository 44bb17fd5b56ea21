"""Table rules about a series in time: offsets of its clock, and steps that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from catalog.contract import Column
from catalog.expressions.spark_sql import quoted, text
from expectations.rules.joins import named, names, present, same
from expectations.rules.query_rules import HelperColumn, QueryContext, QueryRule, counted, outcome
from expectations.rules.time_rules import OFFSET, delivered_text
from expectations.suite import Rule
from expectations.typed_frame import HELPER
from expectations.verdict import Outcome

_UTC: Final = ("Z", "+00:00", "-00:00", "+0000", "-0000", "+00", "-00")


def offset_sql(column: Column) -> str:
    """The offset in a column's delivered text, in one spelling; that of a text without one is a spelling of its own."""
    found = f"regexp_extract({delivered_text(column)}, {text(OFFSET)}, 2)"
    return f"case when {found} in ({', '.join(map(text, _UTC))}) then '+0000' else rpad(replace({found}, ':', ''), 5, '0') end"


@dataclass(frozen=True)
class Offsets(QueryRule):
    """How many offsets from UTC the delivered times state; none at all counts as one."""

    helper: HelperColumn
    where: str

    @property
    def carries(self) -> HelperColumn:
        """The offset of each row."""
        return self.helper

    def ask(self, asked: QueryContext) -> tuple[int, ...]:
        """That number."""
        return counted(asked.collect, asked.where(self.where), f"count(distinct {quoted(self.helper.name)})")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken by a second one."""
        (offsets,) = numbers or (0,)
        return outcome(
            rule,
            ok=offsets <= 1,
            seen=offsets,
            told=f"times in {offsets} different offsets from UTC, or without one",
        )


@dataclass(frozen=True)
class Gaps(QueryRule):
    """How many steps are missing between the first and the last time of each series.

    Steps are spans of the clock, counted from 1970 on in UTC: a series may lie anywhere in them, and wander within them.
    """

    column: Column
    step_seconds: int
    by: tuple[Column, ...]
    where: str

    def ask(self, asked: QueryContext) -> tuple[int, ...]:
        """That number."""
        from pyspark.sql import functions as F  # noqa: N812

        column, key = quoted(self.column.name), f"{HELPER}k"
        at = (
            f"datediff({column}, date'1970-01-01') * 86400000000L"
            if self.column.type == "date"
            else f"unix_micros({column})"
        )
        parts = [
            *(same(self.by) or ["1"]),
            f"({at} - pmod({at}, {self.step_seconds}000000L)) div {self.step_seconds}000000L",
        ]
        *series, step = names(parts, key)
        steps = asked.where(self.where, *present([self.column])).selectExpr(*named(parts, key)).distinct()
        missing = steps.groupBy(*series).agg(F.expr(f"max({step}) - min({step}) + 1 - count(1) as {HELPER}n"))
        return counted(asked.collect, missing, f"sum({HELPER}n)")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken where they are more than `max_missing`."""
        (missing,) = numbers or (0,)
        return outcome(
            rule,
            ok=missing <= rule.kwargs.get("max_missing", 0),
            seen=missing,
            told=f"{missing} steps are missing",
        )
