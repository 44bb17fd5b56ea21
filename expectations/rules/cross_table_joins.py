"""Row rules that compare values with other datasets, the published table, or other rows of the drop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, any_of, quoted
from expectations.rules.joins import COUNT, Tables, counted_by, flagged, join, named, names, present, same
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
        """Whether it points at no row of the reference."""
        return all_of([*present(self.columns), f"{quoted(self._mark)} is null"])

    @property
    def _mark(self) -> str:
        return f"{HELPER}in_{self.rule}"

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:  # noqa: ARG002
        """Helper column: true where the reference has the values."""
        parts, others = same(self.columns), _others(self.columns, self.there)
        keys = tables.reference(self.reference).selectExpr(*named(others, f"{self._mark}_p")).distinct()
        return flagged(frame, parts, keys, names(others, f"{self._mark}_p"), self._mark)


@dataclass(frozen=True)
class MatchesReference:
    """A value equals the one that another dataset has for the same key.

    An unknown key, and NULL on either side, contradict nothing.
    """

    rule: str
    column: Column
    on: tuple[Column, ...]
    reference: str
    reference_on: tuple[str, ...]
    reference_column: str
    joins: int = 2

    @property
    def broken(self) -> str:
        """Whether the reference has the key, with other values only."""
        value, known, pair = (quoted(name) for name in (self.column.name, self._mark, self._pair))
        return f"({value} is not null and {known} and {pair} is null)"

    @property
    def _mark(self) -> str:
        return f"{HELPER}known_{self.rule}"

    @property
    def _pair(self) -> str:
        return f"{HELPER}agrees_{self.rule}"

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:  # noqa: ARG002
        """Helper columns: whether the reference has the key, and whether it has it with this value."""
        columns = (*self.on, self.column)
        parts, others = same(columns), _others(columns, (*self.reference_on, self.reference_column))
        key, pair = f"{self._mark}_p", f"{self._pair}_p"
        there = tables.reference(self.reference).where(f"{quoted(self.reference_column)} is not null")
        keys = there.selectExpr(*named(others[:-1], key)).distinct()
        pairs = there.selectExpr(*named(others, pair)).distinct()
        frame = flagged(frame, parts[:-1], keys, names(others[:-1], key), self._mark)
        return flagged(frame, parts, pairs, names(others, pair), self._pair)


@dataclass(frozen=True)
class FunctionalDependency:
    """A key has one value, in the drop and in the published table together; NULL is no key and no value."""

    rule: str
    columns: tuple[Column, ...]
    column: Column
    where: str
    joins: int = 4

    @property
    def broken(self) -> str:
        """Whether another row of the key has another value."""
        contradicted = any_of([f"coalesce({quoted(mark)}, false)" for mark in (self._mark, self._against)])
        return all_of([*present([self.column]), contradicted])

    @property
    def _mark(self) -> str:
        return f"{HELPER}two_{self.rule}"

    @property
    def _against(self) -> str:
        return f"{HELPER}against_{self.rule}"

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:
        """Helper columns: whether the key has two values in the drop; whether a published row has another."""
        parts, key = same([*self.columns, self.column]), f"{self._mark}_k"
        complete = all_of([self.where, *present([*self.columns, self.column])])
        pairs = rows.where(complete).selectExpr(*named(parts, key)).distinct()
        keys = names(parts, key)[:-1]
        several = counted_by(pairs, keys).where(f"{COUNT} > 1").select(*keys)
        marked = flagged(frame, parts[:-1], several, keys, self._mark)
        if tables.published is None:
            return marked.selectExpr("*", f"cast(null as boolean) as {quoted(self._against)}")
        own, other = f"{self._against}_k", f"{self._against}_p"
        delivered = rows.where(complete).selectExpr(*named(parts, own)).distinct()
        published = tables.published.where(complete).selectExpr(*named(parts, other)).distinct()
        mine, theirs = names(parts, own), names(parts, other)
        both = join(delivered, published, zip(mine[:-1], theirs[:-1], strict=True), how="inner")
        contrary = both.where(f"not ({mine[-1]} <=> {theirs[-1]})").select(*mine).distinct()
        return flagged(marked, parts, contrary, mine, self._against)


@dataclass(frozen=True)
class BehindWatermark:
    """Rows that come too long after the watermark: the greatest value published before their drop."""

    rule: str
    column: Column
    seconds: int
    joins: int = 1

    @property
    def broken(self) -> str:
        """Whether a row lies too far behind the watermark; before the first publish there is none."""
        column, mark = quoted(self.column.name), quoted(self._mark)
        if self.column.type == "date":
            return f"datediff({mark}, {column}) * 86400L > {self.seconds}L"
        return f"unix_micros({mark}) - unix_micros({column}) > {self.seconds}000000L"

    @property
    def _mark(self) -> str:
        return f"{HELPER}watermark_{self.rule}"

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:  # noqa: ARG002
        """Helper column: the watermark."""
        if tables.earlier is None:
            return frame.selectExpr("*", f"cast(null as {self.column.type}) as {quoted(self._mark)}")
        greatest = f"max({quoted(self.column.name)}) as {quoted(self._mark)}"
        return frame.crossJoin(tables.earlier.selectExpr(greatest))


def _others(columns: tuple[Column, ...], there: tuple[str, ...]) -> list[str]:
    """The other table's values, of the same types."""
    return same(Column(name, column.type) for column, name in zip(columns, there, strict=True))
