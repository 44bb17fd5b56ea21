"""What row rules look up in other datasets, in the published table, and in the other rows of the drop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, any_of, quoted
from expectations.rules.joins import Tables, flagged, join, named, names, present, same
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key of several columns; with a NULL in any of them it points nowhere."""

    rule: str
    columns: tuple[Column, ...]
    reference: str
    there: tuple[str, ...]
    joins: int = 1

    @property
    def broken(self) -> str:
        """Whether it points at nothing."""
        return all_of([*present(self.columns), f"{quoted(self._mark)} is null"])

    @property
    def _mark(self) -> str:
        return f"{HELPER}in_{self.rule}"

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """Helper column: true where the reference has the values."""
        parts, others = same(self.columns), _others(self.columns, self.there)
        stand = tables.reference(self.reference).selectExpr(*named(others, f"{self._mark}_p")).distinct()
        return flagged(frame, parts, stand, names(others, f"{self._mark}_p"), self._mark)


@dataclass(frozen=True)
class MatchesReference:
    """A value beside the one that another dataset has for the same key; an unknown key, and NULL on either side, contradict nothing."""

    rule: str
    column: Column
    on: tuple[Column, ...]
    reference: str
    reference_on: tuple[str, ...]
    reference_column: str
    joins: int = 2

    @property
    def broken(self) -> str:
        """Whether the key is known there, with other values only."""
        return f"({quoted(self.column.name)} is not null and {quoted(self._mark)} and {quoted(self._pair)} is null)"

    @property
    def _mark(self) -> str:
        return f"{HELPER}known_{self.rule}"

    @property
    def _pair(self) -> str:
        return f"{HELPER}agrees_{self.rule}"

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """Helper columns: whether the reference knows the key, and whether it knows it with this value."""
        columns = (*self.on, self.column)
        parts, others = same(columns), _others(columns, (*self.reference_on, self.reference_column))
        key, pair = f"{self._mark}_p", f"{self._pair}_p"
        there = tables.reference(self.reference).where(f"{quoted(self.reference_column)} is not null")
        keys = there.selectExpr(*named(others[:-1], key)).distinct()
        frame = flagged(frame, parts[:-1], keys, names(others[:-1], key), self._mark)
        return flagged(
            frame, parts, there.selectExpr(*named(others, pair)).distinct(), names(others, pair), self._pair
        )


@dataclass(frozen=True)
class FunctionalDependency:
    """Rows whose key comes with two values, in the drop or beside the published table; NULL is no key and no value."""

    rule: str
    columns: tuple[Column, ...]
    column: Column
    where: str
    joins: int = 4

    @property
    def broken(self) -> str:
        """Whether another row says otherwise."""
        said = any_of([f"coalesce({quoted(mark)}, false)" for mark in (self._mark, self._against)])
        return all_of([*present([self.column]), said])

    @property
    def _mark(self) -> str:
        return f"{HELPER}two_{self.rule}"

    @property
    def _against(self) -> str:
        return f"{HELPER}against_{self.rule}"

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """Helper columns: whether the key has two values in the drop, and whether the published table has another for it."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, key = same([*self.columns, self.column]), f"{self._mark}_k"
        said = all_of([self.where, *present([*self.columns, self.column])])
        rows = frame if tables.rows is None else tables.rows
        pairs = rows.where(F.expr(said)).selectExpr(*named(parts, key)).distinct()
        keys = names(parts, key)[:-1]
        several = (
            pairs.groupBy(*keys)
            .agg(F.count(F.lit(1)).alias(f"{HELPER}n"))
            .where(f"{HELPER}n > 1")
            .select(*keys)
        )
        marked = flagged(frame, parts[:-1], several, keys, self._mark)
        if tables.published is None:
            return marked.selectExpr("*", f"cast(null as boolean) as {quoted(self._against)}")
        own, other = f"{self._against}_k", f"{self._against}_p"
        asked = rows.where(F.expr(said)).selectExpr(*named(parts, own)).distinct()
        stand = tables.published.where(F.expr(said)).selectExpr(*named(parts, other)).distinct()
        mine, theirs = names(parts, own), names(parts, other)
        contrary = join(asked, stand, zip(mine[:-1], theirs[:-1], strict=True), how="inner").where(
            f"not ({mine[-1]} <=> {theirs[-1]})"
        )
        return flagged(marked, parts, contrary.select(*mine).distinct(), mine, self._against)


@dataclass(frozen=True)
class BehindWatermark:
    """Rows that come too long after the greatest value that was published before their drop: the watermark."""

    rule: str
    column: Column
    seconds: int
    joins: int = 1

    @property
    def broken(self) -> str:
        """Whether a row lies behind the watermark by more than is allowed; there is none before the first publish."""
        column, mark = quoted(self.column.name), quoted(self._mark)
        if self.column.type == "date":
            return f"datediff({mark}, {column}) * 86400L > {self.seconds}L"
        return f"unix_micros({mark}) - unix_micros({column}) > {self.seconds}000000L"

    @property
    def _mark(self) -> str:
        return f"{HELPER}watermark_{self.rule}"

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """Helper column: the watermark."""
        if tables.earlier is None:
            return frame.selectExpr("*", f"cast(null as {self.column.type}) as {quoted(self._mark)}")
        return frame.crossJoin(
            tables.earlier.selectExpr(f"max({quoted(self.column.name)}) as {quoted(self._mark)}")
        )


def _others(columns: tuple[Column, ...], there: tuple[str, ...]) -> list[str]:
    """The other table's values, of the same types."""
    return same(Column(name, column.type) for column, name in zip(columns, there, strict=True))
