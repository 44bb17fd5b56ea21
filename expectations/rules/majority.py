"""What row rules look up of the majority: the value that most rows of a key have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, quoted
from expectations.rules.joins import Tables, flagged, join, named, names, present, same
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Agreed:
    """Rows whose key comes with two values and that don't have the one of most rows; where no value has most, all of them.

    Rows of the drop and of the published table count alike, so that one wrong row that was published outvotes nobody. NULL is no key
    and no value.
    """

    rule: str
    columns: tuple[Column, ...]
    column: Column
    where: str
    joins: int = 3

    @property
    def broken(self) -> str:
        """Whether the key has another value, and most of its rows don't have this one."""
        outvoted = f"coalesce({quoted(self._mark)}, false) and not coalesce({quoted(self._most)}, false)"
        return all_of([*present([self.column]), outvoted])

    @property
    def _mark(self) -> str:
        return f"{HELPER}two_{self.rule}"

    @property
    def _most(self) -> str:
        return f"{HELPER}most_{self.rule}"

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """Helper columns: whether the key has two values, and whether the row's is the one of most rows."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, value, key = same([*self.columns, self.column]), f"{self._most}_v", f"{self._mark}_k"
        said = F.expr(all_of([self.where, *present([*self.columns, self.column])]))
        n, most, several = (f"{HELPER}{name}" for name in ("n", "most", "several"))
        stand = [
            table.where(said).selectExpr(*named(parts, value))
            for table in (self._rows(frame, tables), tables.published)
            if table is not None
        ]
        each = stand[0] if len(stand) == 1 else stand[0].unionByName(stand[1])
        mine, theirs = names(parts, value), names(parts, key)
        votes = each.groupBy(*mine).agg(F.count(F.lit(1)).alias(n))
        renamed = [f"{own} as {other}" for own, other in zip(mine[:-1], theirs[:-1], strict=True)]
        asked = (
            self._rows(frame, tables).where(said).selectExpr(*named(parts[:-1], f"{self._mark}_a")).distinct()
        )
        split = (
            votes.groupBy(*mine[:-1])
            .agg(F.max(n).alias(most), F.count(F.lit(1)).alias(several))
            .where(f"{several} > 1")
        )
        split = join(
            split, asked, zip(mine[:-1], names(parts[:-1], f"{self._mark}_a"), strict=True), how="left_semi"
        )
        split = split.selectExpr(*renamed, most)
        first = (
            join(votes, split, zip(mine[:-1], theirs[:-1], strict=True), how="inner")
            .where(f"{n} = {most}")
            .select(*mine)
        )
        alone = (
            first.groupBy(*mine[:-1]).agg(F.count(F.lit(1)).alias(n)).where(f"{n} = 1").selectExpr(*renamed)
        )
        winner = join(first, alone, zip(mine[:-1], theirs[:-1], strict=True), how="left_semi").select(*mine)
        marked = flagged(frame, parts[:-1], split.select(*theirs[:-1]), theirs[:-1], self._mark)
        return flagged(marked, parts, winner, mine, self._most)

    @staticmethod
    def _rows(frame: DataFrame, tables: Tables) -> DataFrame:
        return frame if tables.rows is None else tables.rows
