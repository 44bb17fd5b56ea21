"""What the SQL of a feature may hold, by a list: functions by name, and what a SELECT is made of. All else is refused (promise P5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from catalog.expressions.calls import check_count, refusal
from catalog.expressions.functions import AGGREGATES, ROW_FUNCTIONS, WINDOWED
from catalog.expressions.parse import function_name
from catalog.expressions.values import Refused

if TYPE_CHECKING:
    from sqlglot import exp

_QUERY: Final = (
    "Select From Join Where Group Having Order Ordered Limit With CTE Subquery Table TableAlias Alias Star Distinct Union Intersect Except "
    "Window WindowSpec Filter IgnoreNulls RespectNulls Exists"
)
_EXPRESSION: Final = (
    "Column Identifier Literal RawString Null Boolean Paren Neg Cast TryCast DataType DataTypeParam And Or Not EQ NEQ LT LTE GT GTE NullSafeEQ "
    "Between In Is Like RegexpLike Case If Interval Var DPipe Concat Anonymous Add Sub Mul Div IntDiv Mod"
)
NODES: Final = frozenset(f"{_QUERY} {_EXPRESSION}".split())
"""By the names of sqlglot's nodes."""
FUNCTIONS: Final = ROW_FUNCTIONS.keys() | AGGREGATES | WINDOWED
TYPES: Final = frozenset(
    {
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "DOUBLE",
        "DECIMAL",
        "TEXT",
        "VARCHAR",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
        "TIMESTAMPTZ",
    }
)
"""What may be cast to."""


def not_allowed(tree: exp.Expr) -> Iterator[tuple[exp.Expr, str, str]]:
    """Each part of a query that is not on the list, with what it is and what to do."""
    from sqlglot import exp

    for node in tree.walk():
        name = function_name(node)
        if name and name not in FUNCTIONS:
            yield node, *refusal(name)
        elif type(node).__name__ not in NODES:
            fix = "write it as a SELECT with joins, groups, windows and the functions in docs/sql.md"
            yield node, f"{node.sql(dialect='spark')[:60]!r} ({type(node).__name__})", fix
        elif isinstance(node, exp.Cast) and str(getattr(node.to.this, "name", node.to.this)) not in TYPES:
            yield (
                node,
                f"a cast to {node.to.sql(dialect='spark').lower()}",
                "cast to bigint, decimal(p, s), double, string, boolean, date or timestamp",
            )
        elif (
            isinstance(node, exp.Cast)
            and node.to.is_type("date", "timestamp", "timestamptz")
            and isinstance(node.this, exp.Literal)
        ):
            yield from _moment(node)


def miscounted(tree: exp.Expr) -> Iterator[tuple[exp.Expr, str, str]]:
    """Each call with fewer or more arguments than its function takes, with what it is and what to do."""
    for node in tree.walk():
        try:
            if name := function_name(node):
                check_count(name, len(node.expressions))
        except Refused as refused:
            yield node, refused.what, refused.fix


def known(node: exp.Expr, *names: str) -> None:
    """Refuse a part of a query that says more than is read of it, which would be left out in silence."""
    if odd := {name for name, item in node.args.items() if item} - set(names):
        text = node.sql(dialect="spark")[:60]
        raise Refused(
            f"{text!r} ({', '.join(sorted(odd))})",
            "write it in plainer words; docs/sql.md says what can be used",
        )


def _moment(node: exp.Cast) -> Iterator[tuple[exp.Expr, str, str]]:
    """A date or timestamp literal has to be one: 'now' is another on each run."""
    from catalog.expressions.casts import moment
    from catalog.expressions.values import of_text

    try:
        moment(of_text(node.this.name), "date" if node.to.is_type("date") else "timestamp")
    except Refused as refused:
        yield node, refused.what, refused.fix
