"""A query as what another reads: its SQL, its columns with their kinds, and the columns in which no two rows are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from catalog.expressions.spark_sql import quoted
from catalog.expressions.values import DEEPEST, Refused, Value, real_of, within

LONGEST_QUERY: Final = 2**20
"""Most characters of a query as it is asked."""
Columns = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Relation:
    """A query as SQL, with its columns; `single` says that it gives one row at most."""

    sql: str
    columns: Columns
    single: bool = False
    key: frozenset[str] | None = None
    """Columns in which no two rows are equal; None where none are known."""

    def __post_init__(self) -> None:
        within(len(self.sql), LONGEST_QUERY)


@dataclass(frozen=True)
class Source:
    """A table or subquery that a query reads, under its alias."""

    alias: str
    columns: Columns

    def get(self, name: str) -> Value | None:
        """The column of that name, in whatever letters; None where there is none."""
        exact = [column for said, column in self.columns if said == name]
        return next(
            iter(exact or [column for said, column in self.columns if said.lower() == name.lower()]), None
        )


def select(listed: Sequence[str], query: str, alias: str) -> str:
    """A SELECT from a query."""
    return " ".join(("select", ", ".join(listed), "from", f"({query})", "as", alias))


def stored(value: Value, name: str, alias: str) -> Value:
    """A value as the column of a subquery that gave it."""
    if value.kind == "interval":
        raise Refused("an interval is no column", "add it to a time")
    if value.kind == "exact" and value.scale > DEEPEST:
        what = f"a column of numbers with {value.scale} digits behind the point"
        raise Refused(what, f"cast it to a decimal with {DEEPEST} at most, or to double")
    if value.kind == "null":
        return Value("null", "null", name=name)
    found = replace(value, sql=f"{quoted(alias)}.{quoted(name)}", constant=None, name=name)
    return replace(found, real=real_of(found)) if found.kind == "exact" else found
