"""What row rules look up beyond the row, as plain values: each adds helper columns to the frame by hash aggregation and join.

The joins compare what is the same value (`same`), and their tables bring columns of the rule's own names along, so that none is
ambiguous. A rule's table is small where it can be: keys that come once take part in no join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from catalog.contract import Column
from catalog.expressions.spark_sql import all_of, quoted
from expectations.typed_frame import HELPER, ROW
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Tables:
    """What a frame may be held against: the table that it is appended to, if any, and pinned versions of other datasets."""

    rows: DataFrame | None
    """The frame before any mark: a mark that aggregated what others joined would double the query with each rule."""
    published: DataFrame | None
    reference: Callable[[str], DataFrame]
    earlier: DataFrame | None = None
    """The rows of the published table that came before this drop; a replay judges a drop when later ones are in."""


def _no_reference(table: str) -> DataFrame:
    what = f"these rows are held against no other dataset, and a rule asks for {table}"
    raise ContractError(what, fix="ask it at the processed hop")


ALONE: Final = Tables(None, None, _no_reference)
"""Nothing to hold a frame against."""


class JoinRule(Protocol):
    """A look-up of one rule."""

    @property
    def broken(self) -> str:
        """SQL over the marked frame that is true where a row is found."""

    @property
    def joins(self) -> int:
        """How many joins it takes, at most."""

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """The frame with the mark's helper columns; what it aggregates it takes from `tables.rows`."""


def same(columns: Iterable[Column]) -> list[str]:
    """SQL by which values are compared: -0.0 is 0.0."""
    return [
        f"({quoted(column.name)} + 0.0D)" if column.type == "double" else quoted(column.name)
        for column in columns
    ]


def present(columns: Iterable[Column]) -> list[str]:
    """SQL that is true of a value that is there, for each column."""
    return [f"{quoted(column.name)} is not null" for column in columns]


def named(parts: list[str], name: str) -> list[str]:
    """Expressions under the names `name0`, `name1` and so on."""
    return [f"{part} as {quoted(f'{name}{number}')}" for number, part in enumerate(parts)]


def names(parts: list[str], name: str) -> list[str]:
    """The names that `named` gives."""
    return [quoted(f"{name}{number}") for number, _ in enumerate(parts)]


def attach(
    frame: DataFrame, there: DataFrame, pairs: Iterable[tuple[str, str]], *, null_safe: bool = False
) -> DataFrame:
    """The frame with the columns of another table, NULL where it has no row: engines hash what stands left, and the frame is greater."""
    return join(there, frame, [(other, own) for own, other in pairs], how="right", null_safe=null_safe)


def join(
    frame: DataFrame, there: DataFrame, pairs: Iterable[tuple[str, str]], *, how: str, null_safe: bool = False
) -> DataFrame:
    """A join on pairs of expressions, of the frame and of the other table."""
    from pyspark.sql import functions as F  # noqa: N812

    sign = "<=>" if null_safe else "="
    return frame.join(there, on=F.expr(all_of([f"{own} {sign} {other}" for own, other in pairs])), how=how)


def known(
    frame: DataFrame,
    rows: DataFrame,
    parts: list[str],
    there: DataFrame,
    mark: str,
    *,
    null_safe: bool = False,
) -> DataFrame:
    """The frame with helper column `mark`: true where the parts' values stand in another table too, else NULL.

    Of the other table only what `rows`, the frame before any mark, ask for is joined: little where either is small.
    """
    key, inner = f"{mark}_k", f"{mark}_p"
    asked, stand = (
        part.selectExpr(*named(parts, name)).distinct() for part, name in ((rows, key), (there, inner))
    )
    found = join(
        asked,
        stand,
        zip(names(parts, key), names(parts, inner), strict=True),
        how="left_semi",
        null_safe=null_safe,
    )
    return flagged(frame, parts, found, names(parts, key), mark, null_safe=null_safe)


def flagged(
    frame: DataFrame,
    parts: list[str],
    there: DataFrame,
    keys: list[str],
    mark: str,
    *,
    null_safe: bool = False,
) -> DataFrame:
    """The frame with helper column `mark`: true where the parts' values are a row of `there`, whose rows are distinct."""
    found = there.selectExpr(*keys, f"true as {quoted(mark)}")
    return attach(frame, found, zip(parts, keys, strict=True), null_safe=null_safe).drop(
        *[key.strip("`") for key in keys]
    )


@dataclass(frozen=True)
class KeepOnePerKey:
    """The one row of each key that is kept: the first or last by `order` (a missing value loses), then by record number.

    A key that stands in the published table already is kept there: no row takes its place.
    """

    rule: str
    columns: tuple[Column, ...]
    where: str
    null_safe: bool
    keep: Literal["first", "last"]
    order: tuple[Column, ...] = ()
    joins: int = 3

    @property
    def broken(self) -> str:
        """Whether a row's key is kept in another row."""
        return f"(coalesce({quoted(ROW)} <> {self._kept}, false) or coalesce({self._again}, false))"

    @property
    def _kept(self) -> str:
        return quoted(f"{HELPER}kept_{self.rule}")

    @property
    def _again(self) -> str:
        return quoted(f"{HELPER}again_{self.rule}")

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """Helper columns: the record number that is kept, where a key comes more than once; whether it was published."""
        from pyspark.sql import functions as F  # noqa: N812

        key, parts = f"{HELPER}key_{self.rule}_", same(self.columns)
        rows = frame if tables.rows is None else tables.rows
        asked = rows.where(F.expr(self.where)).selectExpr(*named(parts, key), f"{self._best} as {HELPER}best")
        best = F.min(f"{HELPER}best") if self.keep == "first" else F.max(f"{HELPER}best")
        kept = asked.groupBy(*names(parts, key)).agg(
            best.alias(f"{HELPER}best"), F.count(F.lit(1)).alias(f"{HELPER}n")
        )
        several = kept.where(f"{HELPER}n > 1").selectExpr(
            *names(parts, key), f"{HELPER}best.place as {self._kept}"
        )
        marked = attach(frame, several, zip(parts, names(parts, key), strict=True), null_safe=self.null_safe)
        marked = marked.drop(*[name.strip("`") for name in names(parts, key)])
        if tables.published is None:
            return marked.selectExpr("*", f"cast(null as boolean) as {self._again}")
        there = tables.published.where(F.expr(self.where))
        return known(marked, rows, parts, there, self._again.strip("`"), null_safe=self.null_safe)

    @property
    def _best(self) -> str:
        """What the rows of a key are ordered by: NULL loses, and NaN with it; engines place NULL differently, so it is said."""
        fields = []
        for number, column in enumerate(self.order):
            value = quoted(column.name)
            value = (
                f"(case when not isnan({value}) then {value} + 0.0D end)"
                if column.type == "double"
                else value
            )
            lost = f"{value} is {'' if self.keep == 'first' else 'not '}null"
            fields += [f"'lost{number}', {lost}", f"'value{number}', {value}"]
        fields.append(f"'place', {quoted(ROW)}")
        return f"named_struct({', '.join(fields)})"


@dataclass(frozen=True)
class AlreadyPublished:
    """Rows whose values in these columns stand in the published table already; NULL equals NULL."""

    rule: str
    columns: tuple[Column, ...]
    joins: int = 2

    @property
    def broken(self) -> str:
        """Whether the row was published before."""
        return f"coalesce({quoted(self._mark)}, false)"

    @property
    def _mark(self) -> str:
        return f"{HELPER}again_{self.rule}"

    def apply(self, frame: DataFrame, tables: Tables) -> DataFrame:
        """Helper column: true where the row was published before."""
        parts = same(self.columns)
        if tables.published is None:
            return frame.selectExpr("*", f"cast(null as boolean) as {quoted(self._mark)}")
        rows = frame if tables.rows is None else tables.rows
        return known(frame, rows, parts, tables.published, self._mark, null_safe=True)
