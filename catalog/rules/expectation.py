"""An expectation type as a value: family, row or table rule, hops and arguments; and how to make one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, get_args

from catalog.contract import ColumnType, Family, Hop


@dataclass(frozen=True)
class Expectation:
    """An expectation type. `needs` and `takes` are argument names; of `bounds` at least one is given."""

    family: Family
    row_rule: bool
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    bounds: frozenset[str] = frozenset()
    types: frozenset[ColumnType] = frozenset(get_args(ColumnType))
    """Column types that it can judge."""
    hops: frozenset[Hop] = frozenset({"raw", "processed", "features"})
    """Hops at which it can be checked."""
    generated: bool = False
    """Whether it is made from the contract's schema only, and never written by hand."""
    planned: bool = True
    """Whether the plan evaluates it; else Great Expectations does, with its import and its queries."""

    @property
    def arguments(self) -> frozenset[str]:
        """All arguments."""
        return self.needs | self.takes | self.bounds


CONDITION: Final = frozenset({"row_condition", "condition_parser"})
FRAMED: Final[frozenset[Hop]] = frozenset({"processed", "features"})


def row_rule(
    family: Family, *needs: str, takes: Collection[str] = (), hops: frozenset[Hop] = FRAMED, **more: Any
) -> Expectation:
    """A rule that judges each row."""
    takes = CONDITION.union(takes, ("mostly",))
    return Expectation(family, row_rule=True, needs=frozenset(needs), takes=takes, hops=hops, **more)


def table_rule(family: Family, *needs: str, takes: Collection[str] = (), **more: Any) -> Expectation:
    """A rule that judges the table."""
    return Expectation(family, row_rule=False, needs=frozenset(needs), takes=frozenset(takes), **more)


def column_rule(family: Family, *needs: str, takes: Collection[str] = (), **more: Any) -> Expectation:
    """A table rule over one column's values."""
    return table_rule(family, "column", *needs, takes=CONDITION.union(takes), hops=FRAMED, **more)


def histogram_rule(family: Family, *needs: str, **more: Any) -> Expectation:
    """A table rule over one column's histogram."""
    return table_rule(family, "column", *needs, hops=FRAMED, **more)


MIN_MAX: Final = frozenset({"min_value", "max_value"})
BOUNDED: Final[dict[str, Any]] = {"takes": {"strict_min", "strict_max"}, "bounds": MIN_MAX}
IGNORE: Final = frozenset({"ignore_row_if"})
NUMBERS: Final[frozenset[ColumnType]] = frozenset({"integer", "double"})
ORDERED: Final[frozenset[ColumnType]] = frozenset({"integer", "double", "date", "timestamp"})
TEXT: Final[frozenset[ColumnType]] = frozenset({"string"})
CLASSES: Final[frozenset[ColumnType]] = frozenset({"string", "boolean"})
RAW: Final[frozenset[Hop]] = frozenset({"raw"})
PROCESSED: Final[frozenset[Hop]] = frozenset({"processed"})
TIMES: Final[frozenset[ColumnType]] = frozenset({"date", "timestamp"})
MOMENTS: Final[frozenset[ColumnType]] = frozenset({"timestamp"})
