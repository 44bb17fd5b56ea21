"""What a query's expressions can name: columns of its tables and of the query around, and aliases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from catalog.documents.document import suggest
from catalog.expressions.expression import value
from catalog.expressions.parse import shown
from catalog.expressions.unite import compared
from catalog.expressions.values import Refused, Value, alike, under
from catalog.queries.aggregates import is_aggregate
from catalog.queries.relation import Relation, Source, select, stored
from catalog.queries.windows import window_of

if TYPE_CHECKING:
    from sqlglot import exp

_TIED: Final = (
    "ask exists (...), or one aggregate, of one SELECT whose WHERE says i.a = o.a, of columns of one type "
    "(no doubles) and of the query right around it; else join"
)
_AMONG: Final = "_among"
Query = Callable[["exp.Expr", "Rows"], Relation]
"""Reads a query within another, in a scope."""


@dataclass
class Rows:
    """The scope of a query: the rows of its tables, one by one.

    Attributes:
        sources: The tables.
        query: Reads a subquery.
        parent: The scope of the query around.
        joined: Columns that `using` made one.
        aliases: Items of a SELECT that may be named after them.
        correlated: Whether something named a column of the query around.
        chosen: The conditions, by id, that all hold of the rows that WHERE or HAVING is choosing.
        ties: The equalities, by id, that all hold of the chosen rows: they alone may name a column of the
            query around.
        tied: The SQL of the correlated subqueries in it.
        joining: Whether a table is being joined, where engines take no subquery.
        key: The SQL of columns in which no two rows are equal; None where none are known.
        windows: Windows that have names; None where no window is allowed.
    """

    groups: ClassVar[bool] = False
    """Whether expressions are over groups of rows."""

    sources: list[Source]
    query: Query
    parent: Rows | None = None
    joined: dict[str, Value] = field(default_factory=dict)
    aliases: dict[str, Value] = field(default_factory=dict)
    correlated: bool = False
    chosen: frozenset[int] = frozenset()
    ties: frozenset[int] = frozenset()
    tied: list[str] = field(default_factory=list)
    joining: bool = False
    key: frozenset[str] | None = frozenset()
    windows: Mapping[str, exp.Expr] | None = None

    def column(self, node: exp.Expr) -> Value:
        """The column that is named, or the alias."""
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
        column = f"{node.sql(dialect='spark')!r} of the query around it"
        raise Refused(f"a subquery asks for {column} by more than an equality in its WHERE", _TIED)

    def own(self, node: exp.Expr) -> Value | None:
        """The column of this scope's own tables; None where they have none.

        Raises:
            Refused: Several have it.
        """
        name, table = node.name, str(node.args["table"].name).lower() if node.args.get("table") else None
        if node.args.get("db"):
            raise Refused(f"{shown(node)!r} is no column", "write it as table.column")
        if table is None and (joined := self.joined.get(name.lower())) is not None:
            return joined
        of = [(item.alias, item.get(name)) for item in self.sources if table in (None, item.alias.lower())]
        found = [(alias, column) for alias, column in of if column is not None]
        if len(found) > 1:
            tables = " and ".join(alias for alias, _ in found)
            raise Refused(f"{name} is a column of {tables}", f"say which, as in {found[0][0]}.{name}")
        return found[0][1] if found else None

    def names(self) -> Mapping[str, None]:
        """The names of the columns that can be named."""
        return dict.fromkeys(name for item in self.sources for name, _ in item.columns)

    def special(self, node: exp.Expr) -> Value | None:
        """The value of a window or subquery; None of any other node."""
        kind = type(node).__name__
        if kind == "EQ" and id(node) in self.ties:
            return self._tie(node)
        if kind == "Window":
            if self.windows is None:
                raise Refused("a window chooses rows", "compute it in a subquery, and ask that")
            return self.untied(window_of(node, self, self.windows, self.key), "a window")
        if is_aggregate(node):
            what = "an aggregate among conditions on single rows"
            raise Refused(what, "compute it in a subquery, or ask it in HAVING")
        if kind == "Exists":
            return self._exists(node)
        if kind == "In" and node.args.get("query") is not None:
            return self._among(node)
        if kind in ("Subquery", "Select"):
            found = self._within(node)
            if len(found.columns) != 1 or not found.single:
                what = "a subquery in the place of a value may give several"
                raise Refused(what, "ask it for max(...) or count(*), or join it")
            return under(found.columns[0][1], f"({found.sql})", name="")
        return None

    def _exists(self, node: exp.Expr) -> Value:
        before, found = len(self.tied), self._within(node.this)
        if (
            found.single and len(self.tied) > before
        ):  # it has a row whatever is counted; Sail joins, and finds none
            what = "exists (...) of an aggregate, which always gives a row"
            raise Refused(what, "compare (select count(*) ...) with a number")
        return Value(f"exists ({found.sql})", "boolean")

    def _within(self, node: exp.Expr) -> Relation:
        """A subquery."""
        inner = Rows([], self.query, self)
        if self.joining:
            raise Refused("a subquery in the ON of a join", "ask it in WHERE")
        found = self.query(node, inner)
        if not inner.correlated:
            return found
        while type(node).__name__ in ("Subquery", "Paren"):
            node = node.this
        if type(node).__name__ != "Select" or node.args.get("limit") or node.args.get("with_"):
            what = "a subquery of several SELECTs, or with a LIMIT, asks for columns of the query around it"
            raise Refused(what, _TIED)
        self.tied.append(found.sql)
        return found

    def untied(self, found: Value, where: str) -> Value:
        """Refuse a value that holds a correlated subquery, for which Sail has no plan there."""
        if any(sql in found.sql for sql in self.tied):
            what = f"a subquery in {where} asks for columns of the query around it"
            raise Refused(what, "compute it in a subquery, and ask that")
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
        if outer is not None and around.groups:
            fix = "group in a subquery of its own, and ask in the SELECT around it"
            raise Refused("a subquery asks for keys of groups", fix)
        (mine,) = (item for item in inner if item is not None)
        if outer is None or mine.kind != outer.kind or mine.kind == "double":
            return None
        if mine.scale or outer.scale or not (mine.plain and outer.plain):
            return None
        self.correlated = True
        return Value(f"({mine.sql} = {outer.sql})", "boolean")

    def _among(self, node: exp.Expr) -> Value:
        """Whether a subquery gives a value: `in (select ...)`."""
        if id(node) not in self.chosen:  # Sail has no plan for the value, and no NULL under NOT, OR or CASE
            exists = "ask exists (select ... where i.a = o.a), or not exists, there"
            what = "in (select ...) is used as a value, or under NOT, OR or CASE"
            raise Refused(what, f"{exists}; or ask it in WHERE, beside AND alone")
        left, before, found = value(node.this, self), len(self.tied), self._within(node.args["query"])
        if len(self.tied) > before:
            fix = "write exists (select ... where i.a = o.a and i.b = o.b)"
            raise Refused("in (select ...) asks for columns of the query around it", fix)
        if len(found.columns) != 1:
            raise Refused("in (select ...) of several columns", "select one column there")
        name, given = found.columns[0]
        compared(left, "=", given)
        column = stored(given, name, _AMONG)
        if left.kind != column.kind and not (left.number and column.number):
            what = f"in (select ...) looks for {left.described()} among {column.described()}"
            raise Refused(what, "cast one to the type of the other")
        one, other = alike(left, column) if left.number and column.number else (left.sql, column.sql)
        if other == column.sql:
            return Value(f"({one} in ({found.sql}))", "boolean")
        return Value(f"({one} in ({select([other], found.sql, _AMONG)}))", "boolean")
