"""What a query's expressions can name: the columns of its tables, of what stands around it, and aliases that stand before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from catalog.documents.document import suggest
from catalog.expressions.expression import value
from catalog.expressions.unite import compared
from catalog.expressions.values import Refused, Value, alike, real_of
from catalog.queries.groups import aggregated, call_of, is_aggregate
from catalog.queries.relation import Relation, Source, select, stored
from catalog.queries.windows import window_of

if TYPE_CHECKING:
    from sqlglot import exp

_TIED: Final = (
    "ask exists (...), or one aggregate, of one SELECT whose WHERE says i.a = o.a, of columns of one type (no doubles) and of the query right "
    "around it; else join"
)
Query = Callable[["exp.Expr", "Rows"], Relation]
"""What a query within another is, as it stands in a scope."""


@dataclass
class Rows:
    """A scope of a query: the rows of its tables, one by one."""

    sources: list[Source]
    query: Query
    parent: Rows | None = None
    joined: dict[str, Value] = field(default_factory=dict)
    """Columns that `using` made one."""
    aliases: dict[str, Value] = field(default_factory=dict)
    """Of the items of a SELECT that stand before."""
    correlated: bool = False
    """Whether something named a column of what stands around it."""
    chosen: frozenset[int] = frozenset()
    """The conditions that all hold of the rows that WHERE or HAVING is choosing; by id."""
    ties: frozenset[int] = frozenset()
    """The equalities that all hold of the rows that are chosen, which alone may name a column of what stands around it; by id."""
    tied: list[str] = field(default_factory=list)
    """The correlated subqueries in it."""
    joining: bool = False
    """Whether a table is being joined, which engines ask no subquery for."""
    key: frozenset[str] | None = frozenset()
    """The SQL of columns in which no two rows are equal; None where none are known."""
    windows: Mapping[str, exp.Expr] | None = None
    """Those that have names; None where no window can stand."""

    def column(self, node: exp.Expr) -> Value:
        """The column that is named; where this scope has none, one of what stands around it."""
        if (found := self.own(node)) is not None:
            return found
        name, table = node.name, node.args.get("table")
        if not table and (alias := self.aliases.get(name.lower())) is not None:
            return alias
        scope = self.parent
        while scope is not None and scope.own(node) is None:
            scope = scope.parent
        if scope is None:
            raise Refused(f"there is no column {node.sql(dialect='spark')!r}", suggest(name, self.names()))
        what = f"a subquery asks for {node.sql(dialect='spark')!r} of the query around it by more than an equality in its WHERE"
        raise Refused(what, _TIED)

    def own(self, node: exp.Expr) -> Value | None:
        """The column of this scope's own tables; None where they have none.

        Raises:
            Refused: Several have it.
        """
        name, table = node.name, str(node.args["table"].name).lower() if node.args.get("table") else None
        if node.args.get("db"):
            raise Refused(f"{node.sql(dialect='spark')[:60]!r} is no column", "write it as table.column")
        if table is None and (joined := self.joined.get(name.lower())) is not None:
            return joined
        of = [(item.alias, item.get(name)) for item in self.sources if table in (None, item.alias.lower())]
        found = [(alias, column) for alias, column in of if column is not None]
        if len(found) > 1:
            tables = " and ".join(alias for alias, _ in found)
            raise Refused(f"{name} stands in {tables}", f"say which, as in {found[0][0]}.{name}")
        return found[0][1] if found else None

    def names(self) -> Mapping[str, None]:
        """Of the columns that can be named."""
        return dict.fromkeys(name for item in self.sources for name, _ in item.columns)

    def special(self, node: exp.Expr) -> Value | None:
        """A window or subquery; None where the node is none."""
        kind = type(node).__name__
        if kind == "EQ" and id(node) in self.ties:
            return self._tie(node)
        if kind == "Window":
            if self.windows is None:
                raise Refused(
                    "a window stands where rows are chosen", "compute it in a subquery, and ask that"
                )
            return self.untied(window_of(node, self, self.windows, self.key), "a window")
        if is_aggregate(node):
            raise Refused(
                "an aggregate stands where rows are looked at one by one",
                "compute it in a subquery, or ask it in HAVING",
            )
        if kind == "Exists":
            return self._exists(node)
        if kind == "In" and node.args.get("query") is not None:
            return self._among(node)
        if kind in ("Subquery", "Select"):
            found = self._within(node)
            if len(found.columns) != 1 or not found.single:
                raise Refused(
                    "a subquery that stands for a value may give several",
                    "ask it for max(...) or count(*), or join it",
                )
            made = replace(found.columns[0][1], sql=f"({found.sql})", constant=None, name="")
            return replace(made, real=real_of(made)) if made.kind == "exact" else made
        return None

    def _exists(self, node: exp.Expr) -> Value:
        before, found = len(self.tied), self._within(node.this)
        if (
            found.single and len(self.tied) > before
        ):  # it has a row whatever is counted; Sail joins, and finds none
            raise Refused(
                "exists (...) of an aggregate, which always gives a row",
                "compare (select count(*) ...) with a number",
            )
        return Value(f"exists ({found.sql})", "boolean")

    def _within(self, node: exp.Expr) -> Relation:
        inner = Rows([], self.query, self)
        if self.joining:
            raise Refused("a subquery in the ON of a join", "ask it in WHERE")
        found = self.query(node, inner)
        if not inner.correlated:
            return found
        while type(node).__name__ in ("Subquery", "Paren"):
            node = node.this
        if type(node).__name__ != "Select" or node.args.get("limit") or node.args.get("with_"):
            raise Refused(
                "a subquery of several SELECTs, or with a LIMIT, asks for columns of the query around it",
                _TIED,
            )
        self.tied.append(found.sql)
        return found

    def untied(self, found: Value, where: str) -> Value:
        """What holds no correlated subquery, for which Sail has no plan there."""
        if any(sql in found.sql for sql in self.tied):
            raise Refused(
                f"a subquery that asks for columns of the query around it stands in {where}",
                "compute it in a subquery, and ask that",
            )
        return found

    def _tie(self, node: exp.Expr) -> Value | None:
        """The equality of a column with one of the query right around; None where it is none."""
        sides, around = (node.this, node.expression), self.parent
        if around is None or any(type(side).__name__ != "Column" for side in sides):
            return None
        inner = [self.own(side) for side in sides]
        if sum(item is None for item in inner) != 1:
            return None
        outer = around.own(sides[inner.index(None)])
        if outer is not None and isinstance(around, Groups):
            raise Refused(
                "a subquery asks for keys of groups",
                "group in a subquery of its own, and ask in the SELECT around it",
            )
        (mine,) = (item for item in inner if item is not None)
        if (
            outer is None
            or mine.kind != outer.kind
            or mine.kind == "double"
            or mine.scale
            or outer.scale
            or not (mine.plain and outer.plain)
        ):
            return None
        self.correlated = True
        return Value(f"({mine.sql} = {outer.sql})", "boolean")

    def _among(self, node: exp.Expr) -> Value:
        if (
            id(node) not in self.chosen
        ):  # Sail has no plan for it as a value, and no NULL for it under NOT, OR or CASE
            what = "in (select ...) stands as a value, or under NOT, OR or CASE"
            raise Refused(
                what,
                "ask exists (select ... where i.a = o.a), or not exists, there; or ask it in WHERE, beside AND alone",
            )
        left, before, found = value(node.this, self), len(self.tied), self._within(node.args["query"])
        if len(self.tied) > before:
            raise Refused(
                "in (select ...) asks for columns of the query around it",
                "write exists (select ... where i.a = o.a and i.b = o.b)",
            )
        if len(found.columns) != 1:
            raise Refused("in (select ...) of several columns", "select one column there")
        name, given = found.columns[0]
        compared(left, "=", given)
        column = stored(given, name, _AMONG)
        if left.kind != column.kind and not (left.number and column.number):
            raise Refused(
                f"in (select ...) looks for {left.told()} among {column.told()}",
                "cast one to the type of the other",
            )
        one, other = alike(left, column) if left.number and column.number else (left.sql, column.sql)
        if other == column.sql:
            return Value(f"({one} in ({found.sql}))", "boolean")
        return Value(f"({one} in ({select([other], found.sql, _AMONG)}))", "boolean")


_AMONG: Final = "_among"


@dataclass
class Groups(Rows):
    """A scope of a query that groups: each group's keys and aggregates."""

    rows: Rows = field(kw_only=True)
    """Those that are grouped."""
    keep: Callable[[str], str] = field(kw_only=True)
    """What an expression over the rows is called where groups are made of them."""
    keys: dict[str, Value] = field(default_factory=dict)
    """By their SQL over the rows."""
    computed: bool = False
    """Whether a key is more than a column."""

    def group_by(self, node: exp.Expr, given: Value) -> str:
        """Add a key; the SQL that is grouped by."""
        if given.constant is not None or given.kind in ("null", "interval"):
            raise Refused(f"grouped by {given.told()}", "group by columns")
        kept = self.keep(given.canonical)
        made = replace(given, sql=kept)
        self.keys[given.sql] = replace(made, real=real_of(made)) if made.kind == "exact" else made
        self.computed = self.computed or type(node).__name__ != "Column"
        return kept

    def own(self, node: exp.Expr) -> Value | None:
        """The key that is named."""
        found = self.rows.own(node)
        if found is not None and found.sql not in self.keys:
            raise Refused(
                f"{node.name} is neither grouped by nor aggregated",
                f"group by it, or ask for max({node.name})",
            )
        return None if found is None else self.keys[found.sql]

    def names(self) -> Mapping[str, None]:
        """Of the columns that can be named."""
        return self.rows.names()

    def special(self, node: exp.Expr) -> Value | None:
        """An aggregate, a key that is computed, a window or a subquery; None where the node is none."""
        if is_aggregate(node):
            return aggregated(call_of(node, self.rows, self.keep))
        if (
            self.computed
            and type(node).__name__ not in ("Literal", "Column", "Null", "Boolean")
            and not _asks(node)
        ):
            with contextlib.suppress(Refused):
                if (key := self.keys.get(value(node, self.rows).sql)) is not None:
                    return key
        return super().special(node)


def _asks(node: exp.Expr) -> bool:
    """Whether a query stands in an expression: no key has one, and each look for one would read it again."""
    return any(type(part).__name__ in ("Select", "Union", "Intersect", "Except") for part in node.walk())
