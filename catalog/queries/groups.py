"""GROUP BY: the scope of a query that groups, where expressions are over each group's keys and aggregates."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from catalog.expressions.expression import value
from catalog.expressions.values import Refused, Value, under
from catalog.queries.aggregates import aggregated, call_of, is_aggregate
from catalog.queries.scope import Rows

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass
class Groups(Rows):
    """The scope of a query that groups."""

    groups: ClassVar[bool] = True

    rows: Rows = field(kw_only=True)
    """The scope of the rows that are grouped."""
    keep: Callable[[str], str] = field(kw_only=True)
    """Gives an expression over the rows the name that it has in the query that groups."""
    keys: dict[str, Value] = field(default_factory=dict)
    """The keys, by their SQL over the rows."""
    computed: bool = False
    """Whether a key is no plain column."""

    def group_by(self, node: exp.Expr, given: Value) -> str:
        """Add a key.

        Returns:
            The SQL to group by.
        """
        if given.constant is not None or given.kind in ("null", "interval"):
            raise Refused(f"grouped by {given.described()}", "group by columns")
        name = self.keep(given.canonical)
        self.keys[given.sql] = under(given, name)
        self.computed = self.computed or type(node).__name__ != "Column"
        return name

    def own(self, node: exp.Expr) -> Value | None:
        """The key that is named."""
        found = self.rows.own(node)
        if found is not None and found.sql not in self.keys:
            what = f"{node.name} is neither grouped by nor aggregated"
            raise Refused(what, f"group by it, or ask for max({node.name})")
        return None if found is None else self.keys[found.sql]

    def names(self) -> Mapping[str, None]:
        """The names of the columns that can be named."""
        return self.rows.names()

    def special(self, node: exp.Expr) -> Value | None:
        """The value of an aggregate, a computed key, a window or a subquery; None of any other node."""
        if is_aggregate(node):
            return aggregated(call_of(node, self.rows, self.keep))
        single = type(node).__name__ in ("Literal", "Column", "Null", "Boolean")
        if self.computed and not single and not _has_query(node):
            with contextlib.suppress(Refused):
                if (key := self.keys.get(value(node, self.rows).sql)) is not None:
                    return key
        return super().special(node)


def _has_query(node: exp.Expr) -> bool:
    """Whether an expression has a subquery: no key has one, and to look for a key would read it again."""
    return any(type(part).__name__ in ("Select", "Union", "Intersect", "Except") for part in node.walk())
