"""Table rules about a series in time: offsets of its clock, and steps that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from catalog.contract import Column
from catalog.expressions.spark_sql import quoted, text
from expectations.rules.joins import named, names, present, same
from expectations.rules.queries.query_rules import HelperColumn, QueryContext, QueryRule, counted
from expectations.rules.time_rules import OFFSET, delivered_text
from expectations.suite import Rule
from expectations.typed_frame import HELPER
from expectations.verdict import Outcome, table_outcome

_UTC: Final = ("Z", "+00:00", "-00:00", "+0000", "-0000", "+00", "-00")


def offset_sql(column: Column) -> str:
    """The offset in a column's delivered text, in one spelling; "no offset" has a spelling of its own."""
    found = f"regexp_extract({delivered_text(column)}, {text(OFFSET)}, 2)"
    is_utc = f"{found} in ({', '.join(map(text, _UTC))})"
    return f"case when {is_utc} then '+0000' else rpad(replace({found}, ':', ''), 5, '0') end"


@dataclass(frozen=True)
class Offsets(QueryRule):
    """How many offsets from UTC the delivered times state; none at all counts as one."""

    where: str
    helper: HelperColumn
    """The offset of each row."""

    def query(self, context: QueryContext) -> tuple[int, ...]:
        """That number."""
        distinct = f"count(distinct {quoted(self.helper.name)})"
        return counted(context.collect, context.where(self.where), distinct)

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken by a second one."""
        (offsets,) = numbers or (0,)
        words = f"times in {offsets} different offsets from UTC, or without one"
        return table_outcome(rule, broken=offsets > 1, words=words, observed_value=offsets)


@dataclass(frozen=True)
class Gaps(QueryRule):
    """How many steps are missing between the first and the last time of each series.

    Steps are spans of the clock, counted from 1970 on in UTC: a series may lie anywhere in them, and wander
    within them.
    """

    column: Column
    step_seconds: int
    by: tuple[Column, ...]
    where: str

    def query(self, context: QueryContext) -> tuple[int, ...]:
        """That number."""
        from pyspark.sql import functions as F  # noqa: N812

        column, key = quoted(self.column.name), f"{HELPER}k"
        at, span = f"unix_micros({column})", f"{self.step_seconds}000000L"
        if self.column.type == "date":
            at = f"datediff({column}, date'1970-01-01') * 86400000000L"
        parts = [*(same(self.by) or ["1"]), f"({at} - pmod({at}, {span})) div {span}"]
        *series, step = names(parts, key)
        steps = context.where(self.where, *present([self.column])).selectExpr(*named(parts, key)).distinct()
        missing = steps.groupBy(*series).agg(F.expr(f"max({step}) - min({step}) + 1 - count(1) as {HELPER}n"))
        return counted(context.collect, missing, f"sum({HELPER}n)")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken where they are more than `max_missing`."""
        (missing,) = numbers or (0,)
        broken = missing > rule.kwargs.get("max_missing", 0)
        return table_outcome(
            rule, broken=broken, words=f"{missing} steps are missing", observed_value=missing
        )
