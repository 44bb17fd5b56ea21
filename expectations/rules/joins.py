"""Row rules that compare a row with others: each adds helper columns by hash aggregation and join.

The joins compare values by `same`. The tables that they join bring columns under the rule's own names, so
none is ambiguous. A rule's table is small where it can be: keys that come once take part in no join.
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
    """Tables to compare rows with: the one they are appended to, and pinned versions of other datasets."""

    published: DataFrame | None
    reference: Callable[[str], DataFrame]
    earlier: DataFrame | None = None
    """The published rows that came before this drop: when a drop is replayed, later ones are published."""


def _no_reference(table: str) -> DataFrame:
    what = f"these rows are compared with no other dataset, and a rule asks for {table}"
    raise ContractError(what, fix="ask it at the processed hop")


ALONE: Final = Tables(None, _no_reference)
"""No table to compare with."""


class JoinRule(Protocol):
    """A row rule that needs helper columns."""

    @property
    def broken(self) -> str:
        """SQL over the joined frame that is true where a row breaks the rule."""

    @property
    def joins(self) -> int:
        """How many joins it takes, at most."""

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:
        """The frame with the rule's helper columns.

        Args:
            frame: The rows, with the helper columns of other rules.
            rows: The same rows before any join. To aggregate `frame` instead would double the query with each
                rule.
            tables: What the rows are compared with.
        """


def same(columns: Iterable[Column]) -> list[str]:
    """SQL by which values are compared: -0.0 is 0.0."""
    return [
        f"({quoted(column.name)} + 0.0D)" if column.type == "double" else quoted(column.name)
        for column in columns
    ]


def present(columns: Iterable[Column]) -> list[str]:
    """SQL that is true of a value that isn't NULL, for each column."""
    return [f"{quoted(column.name)} is not null" for column in columns]


def named(parts: list[str], name: str) -> list[str]:
    """Expressions under the names `name0`, `name1` and so on."""
    return [f"{part} as {quoted(f'{name}{number}')}" for number, part in enumerate(parts)]


def names(parts: list[str], name: str) -> list[str]:
    """The names that `named` gives."""
    return [quoted(f"{name}{number}") for number, _ in enumerate(parts)]


COUNT: Final = f"{HELPER}n"
"""Helper column of `counted_by`: how many rows have the key."""


def counted_by(frame: DataFrame, keys: Iterable[str]) -> DataFrame:
    """One row for each key, with the number of its rows as `COUNT`."""
    from pyspark.sql import functions as F  # noqa: N812

    return frame.groupBy(*keys).agg(F.count(F.lit(1)).alias(COUNT))


def attach(
    frame: DataFrame, there: DataFrame, pairs: Iterable[tuple[str, str]], *, null_safe: bool = False
) -> DataFrame:
    """The frame with another table's columns, NULL where that has no row.

    Engines hash the left side of a join, and the frame is the greater one: so it is the right side.
    """
    return join(there, frame, [(other, own) for own, other in pairs], how="right", null_safe=null_safe)


def join(
    frame: DataFrame, there: DataFrame, pairs: Iterable[tuple[str, str]], *, how: str, null_safe: bool = False
) -> DataFrame:
    """A join on pairs of expressions, of the frame and of the other table."""
    from pyspark.sql import functions as F  # noqa: N812

    sign = "<=>" if null_safe else "="
    return frame.join(there, on=F.expr(all_of([f"{own} {sign} {other}" for own, other in pairs])), how=how)


def known(
    frame: DataFrame, rows: DataFrame, parts: list[str], there: DataFrame, mark: str, *, null_safe: bool
) -> DataFrame:
    """The frame with helper column `mark`: true where another table has the parts' values too, else NULL.

    Only the values of `rows` are looked up in the other table: little where either table is small.
    """
    key, inner = f"{mark}_k", f"{mark}_p"
    own, others = (
        table.selectExpr(*named(parts, name)).distinct() for table, name in ((rows, key), (there, inner))
    )
    pairs = zip(names(parts, key), names(parts, inner), strict=True)
    found = join(own, others, pairs, how="left_semi", null_safe=null_safe)
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
    """The frame with helper column `mark`: true where another table has the parts' values, else NULL.

    Args:
        frame: The rows.
        parts: SQL of the values to find.
        there: The other table, whose rows are distinct.
        keys: Its columns, one for each part.
        mark: The helper column.
        null_safe: Whether NULL equals NULL.
    """
    found = there.selectExpr(*keys, f"true as {quoted(mark)}")
    marked = attach(frame, found, zip(parts, keys, strict=True), null_safe=null_safe)
    return marked.drop(*[key.strip("`") for key in keys])


@dataclass(frozen=True)
class KeepOnePerKey:
    """One row of each key passes: the first or last by `order` (missing values lose), then by record number.

    No row takes the place of one that is published: where a key is published already, all rows of it break
    the rule.
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
        """Whether another row of the key passes instead."""
        return f"(coalesce({quoted(ROW)} <> {self._chosen}, false) or coalesce({quoted(self._again)}, false))"

    @property
    def _chosen(self) -> str:
        return quoted(f"{HELPER}kept_{self.rule}")

    @property
    def _again(self) -> str:
        return f"{HELPER}again_{self.rule}"

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:
        """Helper columns: the record number that passes, for a repeated key; whether the key is published."""
        from pyspark.sql import functions as F  # noqa: N812

        parts, best = same(self.columns), f"{HELPER}best"
        keys = names(parts, f"{HELPER}key_{self.rule}_")
        places = rows.where(self.where).selectExpr(
            *named(parts, f"{HELPER}key_{self.rule}_"), f"{self._best} as {best}"
        )
        chosen = F.min(best) if self.keep == "first" else F.max(best)
        groups = places.groupBy(*keys).agg(chosen.alias(best), F.count(F.lit(1)).alias(COUNT))
        several = groups.where(f"{COUNT} > 1").selectExpr(*keys, f"{best}.place as {self._chosen}")
        marked = attach(frame, several, zip(parts, keys, strict=True), null_safe=self.null_safe)
        marked = marked.drop(*[key.strip("`") for key in keys])
        if tables.published is None:
            return marked.selectExpr("*", f"cast(null as boolean) as {quoted(self._again)}")
        published = tables.published.where(self.where)
        return known(marked, rows, parts, published, self._again, null_safe=self.null_safe)

    @property
    def _best(self) -> str:
        """A struct that orders a key's rows. NULL and NaN lose explicitly: engines order NULL differently."""
        fields = []
        for number, column in enumerate(self.order):
            value = quoted(column.name)
            if column.type == "double":
                value = f"(case when not isnan({value}) then {value} + 0.0D end)"
            lost = f"{value} is {'' if self.keep == 'first' else 'not '}null"
            fields += [f"'lost{number}', {lost}", f"'value{number}', {value}"]
        fields.append(f"'place', {quoted(ROW)}")
        return f"named_struct({', '.join(fields)})"


@dataclass(frozen=True)
class AlreadyPublished:
    """Rows whose values in these columns are in the published table already; NULL equals NULL."""

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

    def apply(self, frame: DataFrame, rows: DataFrame, tables: Tables) -> DataFrame:
        """Helper column: true where the row was published before."""
        if tables.published is None:
            return frame.selectExpr("*", f"cast(null as boolean) as {quoted(self._mark)}")
        return known(frame, rows, same(self.columns), tables.published, self._mark, null_safe=True)
