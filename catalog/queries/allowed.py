"""What the SQL of a feature may hold: a list of functions and parts of a SELECT, and no more (promise P5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from catalog.expressions.calls import check_count, refusal
from catalog.expressions.casts import CASTABLE, CASTS, moment, type_name
from catalog.expressions.functions import AGGREGATES, ROW_FUNCTIONS, WINDOWED
from catalog.expressions.parse import function_name, shown
from catalog.expressions.values import Refused, of_text

if TYPE_CHECKING:
    from sqlglot import exp

_QUERY: Final = (
    "Select From Join Where Group Having Order Ordered Limit With CTE Subquery Table TableAlias Alias Star "
    "Distinct "
    "Union Intersect Except Window WindowSpec Filter IgnoreNulls RespectNulls Exists"
)
_EXPRESSION: Final = (
    "Column Identifier Literal RawString Null Boolean Paren Neg Cast TryCast DataType DataTypeParam And "
    "Or Not "
    "EQ NEQ LT LTE GT GTE NullSafeEQ Between In Is Like RegexpLike Case If Interval Var DPipe Concat "
    "Anonymous "
    "Add Sub Mul Div IntDiv Mod"
)
NODES: Final = frozenset(f"{_QUERY} {_EXPRESSION}".split())
"""By the names of sqlglot's nodes."""
FUNCTIONS: Final = ROW_FUNCTIONS.keys() | AGGREGATES | WINDOWED


def not_allowed(tree: exp.Expr) -> Iterator[tuple[exp.Expr, str, str]]:
    """Each part of a query that is not on the list, with what it is and what to do."""
    from sqlglot import exp

    for node in tree.walk():
        name = function_name(node)
        if name and name not in FUNCTIONS:
            yield node, *refusal(name)
        elif type(node).__name__ not in NODES:
            fix = "write it as a SELECT with joins, groups, windows and the functions in docs/sql.md"
            yield node, f"{shown(node)!r} ({type(node).__name__})", fix
        elif isinstance(node, exp.Cast) and type_name(node.to) not in CASTS:
            yield node, f"a cast to {node.to.sql(dialect='spark').lower()}", CASTABLE
        elif isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
            yield from _moment(node)


def miscounted(tree: exp.Expr) -> Iterator[tuple[exp.Expr, str, str]]:
    """Each call with fewer or more arguments than its function takes, with what it is and what to do."""
    for node in tree.walk():
        try:
            if name := function_name(node):
                check_count(name, len(node.expressions))
        except Refused as refused:
            yield node, refused.what, refused.fix


def _moment(node: exp.Cast) -> Iterator[tuple[exp.Expr, str, str]]:
    """A date or timestamp literal has to be one: 'now' is another on each run."""
    if not node.to.is_type("date", "timestamp", "timestamptz"):
        return
    try:
        moment(of_text(node.this.name), "date" if node.to.is_type("date") else "timestamp")
    except Refused as refused:
        yield node, refused.what, refused.fix
