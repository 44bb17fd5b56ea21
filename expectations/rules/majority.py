"""The row rule that the majority decides: the value that most rows of a key have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, quoted
from expectations.rules.joins import COUNT, Tables, counted_by, flagged, join, named, names, present, same
from expectations.typed_frame import HELPER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class MajorityDependency:
    """Where a key has several values, rows break the rule that don't have the one of most rows.

    Without a majority, all rows of the key do. Rows of the drop and of the published table count alike, so
    that one wrong row that was published outvotes nobody. NULL is no key and no value.
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

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:
        """Helper columns: whether the key has two values, and whether the row's is the one of most rows."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, value, key = same([*self.columns, self.column]), f"{self._most}_v", f"{self._mark}_k"
        most, several = (f"{HELPER}{name}" for name in ("most", "several"))
        complete = all_of([self.where, *present([*self.columns, self.column])])
        voting = rows.where(complete).selectExpr(*named(parts, value))
        if tables.published is not None:
            published = tables.published.where(complete)
            voting = voting.unionByName(published.selectExpr(*named(parts, value)))
        mine, theirs = names(parts, value), names(parts, key)
        keys = [*zip(mine[:-1], theirs[:-1], strict=True)]
        renamed = [f"{own} as {other}" for own, other in keys]
        votes = counted_by(voting, mine)

        disputed = votes.groupBy(*mine[:-1]).agg(F.max(COUNT).alias(most), F.count(F.lit(1)).alias(several))
        delivered = rows.where(complete).selectExpr(*named(parts[:-1], f"{self._mark}_a")).distinct()
        pairs = zip(mine[:-1], names(parts[:-1], f"{self._mark}_a"), strict=True)
        disputed = join(disputed.where(f"{several} > 1"), delivered, pairs, how="left_semi")
        disputed = disputed.selectExpr(*renamed, most)

        first = join(votes, disputed, keys, how="inner").where(f"{COUNT} = {most}").select(*mine)
        undivided = counted_by(first, mine[:-1]).where(f"{COUNT} = 1").selectExpr(*renamed)
        winners = join(first, undivided, keys, how="left_semi").select(*mine)
        marked = flagged(frame, parts[:-1], disputed.select(*theirs[:-1]), theirs[:-1], self._mark)
        return flagged(marked, parts, winners, mine, self._most)
