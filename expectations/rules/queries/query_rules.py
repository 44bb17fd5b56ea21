"""Table rules with a query of their own over the rows that pass: the query, and the outcome of its result.

Every result is whole numbers. They count and hold no value (promise P6), and don't depend on the order of
rows (P5).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, quoted
from expectations.rules.joins import COUNT, JoinRule, counted_by, named, names, present, same
from expectations.suite import Rule
from expectations.typed_frame import HELPER, Collect
from expectations.verdict import Outcome, table_outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.rules.joins import Tables


@dataclass(frozen=True)
class QueryContext:
    """What a query runs on: labelled rows, SQL that is true of those that pass, tables to compare with."""

    rows: DataFrame
    passing: str
    tables: Tables
    collect: Collect

    def where(self, *conditions: str) -> DataFrame:
        """The rows that pass and that the conditions hold of."""
        return self.rows.where(all_of([part for part in (self.passing, *conditions) if part != "true"]))


@dataclass(frozen=True)
class HelperColumn:
    """A column that labelled rows keep for a query: its name, its SQL, and the join rule that that needs."""

    name: str
    sql: str
    mark: JoinRule | None = None


class QueryRule(ABC):
    """One table rule's query."""

    helper: HelperColumn | None = None
    """What labelled rows keep for it, if anything."""

    @abstractmethod
    def query(self, context: QueryContext) -> tuple[int, ...]:
        """Run the query; its numbers."""

    @abstractmethod
    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """The rule's outcome; no numbers where there are no rows."""


def aggregate(frame: DataFrame, aggregates: Iterable[str], collect: Collect) -> Any:
    """The one row of aggregates over a frame, in their order."""
    from pyspark.sql import functions as F  # noqa: N812

    columns = [F.expr(sql).alias(f"{HELPER}{number}") for number, sql in enumerate(aggregates)]
    (row,) = collect(frame.agg(*columns))
    return row


def counted(collect: Collect, frame: DataFrame, *aggregates: str) -> tuple[int, ...]:
    """Aggregates over a frame, as whole numbers; NULL is 0."""
    return tuple(int(value or 0) for value in aggregate(frame, aggregates, collect))


@dataclass(frozen=True)
class Repeats(QueryRule):
    """The greatest number of rows that agree in these columns; NULL equals NULL."""

    columns: tuple[Column, ...]
    where: str

    def query(self, context: QueryContext) -> tuple[int, ...]:
        """That number."""
        parts, key = same(self.columns), f"{HELPER}k"
        groups = counted_by(context.where(self.where).selectExpr(*named(parts, key)), names(parts, key))
        return counted(context.collect, groups, f"max({COUNT})")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken where it is more than `max_repeats`."""
        (most,) = numbers or (0,)
        words = f"{most} rows agree in {', '.join(column.name for column in self.columns)}"
        return table_outcome(rule, broken=most > rule.kwargs["max_repeats"], words=words, observed_value=most)


@dataclass(frozen=True)
class Splits(QueryRule):
    """How many keys are in more than one split; rows without a split or a whole key don't count."""

    columns: tuple[Column, ...]
    split: Column
    where: str

    def query(self, context: QueryContext) -> tuple[int, ...]:
        """That number."""
        parts, key = same([*self.columns, self.split]), f"{HELPER}k"
        rows = context.where(self.where, *present([*self.columns, self.split]))
        pairs = rows.selectExpr(*named(parts, key)).distinct()
        keys = counted_by(pairs, names(parts, key)[:-1])
        return counted(context.collect, keys, f"count(case when {COUNT} > 1 then 1 end)")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken by one such key."""
        (keys,) = numbers or (0,)
        words = f"{keys} keys stand in more than one split"
        return table_outcome(rule, broken=keys > 0, words=words, observed_value=keys)


@dataclass(frozen=True)
class Delivered(QueryRule):
    """How many of all rows of the drop, whether they pass or not, are in the published table already."""

    helper: HelperColumn

    def query(self, context: QueryContext) -> tuple[int, ...]:
        """That number, and how many rows the drop has."""
        again = f"count(case when {quoted(self.helper.name)} then 1 end)"
        return counted(context.collect, context.rows, again, "count(1)")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken where their share is more than `max_share`."""
        again, rows = numbers or (0, 0)
        share, most = again / rows if rows else 0.0, rule.kwargs["max_share"]
        words = f"{again} of {rows} rows were delivered before, the rule allows {most:.0%}"
        return table_outcome(rule, broken=share > most, words=words, observed_value=share)
