"""A query that others read: its SQL, its columns with their kinds, and its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from catalog.expressions.spark_sql import quoted
from catalog.expressions.values import DEEPEST, Refused, Value, under, within

LONGEST_QUERY: Final = 2**20
"""Most characters of a query."""
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
        """The column of that name, else one that differs in case alone; None where there is none."""
        found = [pair for pair in self.columns if pair[0].lower() == name.lower()]
        found.sort(key=lambda pair: pair[0] != name)
        return found[0][1] if found else None


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
    return under(value, f"{quoted(alias)}.{quoted(name)}", name=name)
