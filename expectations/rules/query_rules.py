"""Table rules that take a query of their own over the rows that pass, as plain values: what is asked, and what the answer means.

Every answer is whole numbers, which tell how many and never what (promise P6), and don't depend on the order of rows (P5).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, quoted
from expectations.rules.joins import JoinRule, named, names, present, same
from expectations.suite import Rule
from expectations.typed_frame import HELPER
from expectations.verdict import Outcome

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.rules.joins import Tables

Collect = Callable[["DataFrame"], list[Any]]


@dataclass(frozen=True)
class QueryContext:
    """What a question is asked of: labelled rows, SQL that is true of those that pass, and what they are held against."""

    rows: DataFrame
    passing: str
    tables: Tables
    collect: Collect

    def where(self, *conditions: str) -> DataFrame:
        """The rows that pass and that the conditions hold of."""
        return self.rows.where(all_of([part for part in (self.passing, *conditions) if part != "true"]))


@dataclass(frozen=True)
class HelperColumn:
    """A helper column that labelled rows keep for a question: its name, what makes it, and what has to be looked up for that."""

    name: str
    sql: str
    mark: JoinRule | None = None


class QueryRule(ABC):
    """One table rule's question."""

    @property
    def carries(self) -> HelperColumn | None:
        """What labelled rows keep for it, if anything."""
        return None

    @abstractmethod
    def ask(self, asked: QueryContext) -> tuple[int, ...]:
        """The numbers that answer it."""

    @abstractmethod
    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """The rule's outcome; no numbers where there are no rows."""


def outcome(rule: Rule, *, ok: bool, seen: float, told: str) -> Outcome:
    """A table rule's outcome: kept or broken once."""
    return Outcome(rule, int(not ok), 1, {"observed_value": seen, "told": told})


def counted(collect: Collect, frame: DataFrame, *aggregates: str) -> tuple[int, ...]:
    """Aggregates over a frame, as whole numbers; nothing is 0."""
    from pyspark.sql import functions as F  # noqa: N812

    (row,) = collect(
        frame.agg(*[F.expr(sql).alias(f"{HELPER}{number}") for number, sql in enumerate(aggregates)])
    )
    return tuple(int(value or 0) for value in row)


@dataclass(frozen=True)
class Repeats(QueryRule):
    """The greatest number of rows that agree in these columns; NULL equals NULL."""

    columns: tuple[Column, ...]
    where: str

    def ask(self, asked: QueryContext) -> tuple[int, ...]:
        """That number."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, key, n = same(self.columns), f"{HELPER}k", f"{HELPER}n"
        groups = (
            asked.where(self.where)
            .selectExpr(*named(parts, key))
            .groupBy(*names(parts, key))
            .agg(F.count(F.lit(1)).alias(n))
        )
        return counted(asked.collect, groups, f"max({n})")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken where it is more than `max_repeats`."""
        (most,) = numbers or (0,)
        told = f"{most} rows agree in {', '.join(column.name for column in self.columns)}"
        return outcome(rule, ok=most <= rule.kwargs["max_repeats"], seen=most, told=told)


@dataclass(frozen=True)
class Splits(QueryRule):
    """How many keys stand in more than one split; a row without a split, or with a NULL in its key, is in none."""

    columns: tuple[Column, ...]
    split: Column
    where: str

    def ask(self, asked: QueryContext) -> tuple[int, ...]:
        """That number."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, key, n = same([*self.columns, self.split]), f"{HELPER}k", f"{HELPER}n"
        rows = (
            asked.where(self.where, *present([*self.columns, self.split]))
            .selectExpr(*named(parts, key))
            .distinct()
        )
        keys = rows.groupBy(*names(parts, key)[:-1]).agg(F.count(F.lit(1)).alias(n))
        return counted(asked.collect, keys, f"count(case when {n} > 1 then 1 end)")

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken by one such key."""
        (keys,) = numbers or (0,)
        return outcome(rule, ok=not keys, seen=keys, told=f"{keys} keys stand in more than one split")


@dataclass(frozen=True)
class Delivered(QueryRule):
    """How many of all rows of the drop, whether they pass or not, stand in the published table already."""

    helper: HelperColumn

    @property
    def carries(self) -> HelperColumn:
        """Whether each row was published before."""
        return self.helper

    def ask(self, asked: QueryContext) -> tuple[int, ...]:
        """That number, and how many rows the drop has."""
        return counted(
            asked.collect, asked.rows, f"count(case when {quoted(self.helper.name)} then 1 end)", "count(1)"
        )

    def judge(self, rule: Rule, numbers: tuple[int, ...]) -> Outcome:
        """Broken where their share is more than `max_share`."""
        again, rows = numbers or (0, 0)
        share = again / rows if rows else 0.0
        told = f"{again} of {rows} rows were delivered before, the rule allows {rule.kwargs['max_share']:.0%}"
        return outcome(rule, ok=share <= rule.kwargs["max_share"], seen=share, told=told)
