"""SQL as a syntax tree in which each function has the name and arguments that were written."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from catalog.expressions.values import Refused

if TYPE_CHECKING:
    from sqlglot import exp

OPERATORS = ("CAST", "TRY_CAST")
"""Operators that look like functions."""


@functools.cache
def _dialect() -> Any:
    from sqlglot.dialects.spark import Spark

    parser = Spark.Parser
    known = {
        "FUNCTIONS": {},
        "NO_PAREN_FUNCTIONS": {},
        "FUNCTION_PARSERS": {name: parser.FUNCTION_PARSERS[name] for name in OPERATORS},
        "NO_PAREN_FUNCTION_PARSERS": {"CASE": parser.NO_PAREN_FUNCTION_PARSERS["CASE"]},
    }
    return type("Written", (Spark,), {"Parser": type("Parser", (parser,), known)})


def written(sql: str) -> list[exp.Expr]:
    """The statements of a text.

    Raises:
        SqlglotError: It is no Spark SQL.
        RecursionError: It is nested too deeply.
    """
    return statements(sql, dialect=_dialect())


def statements(sql: str, *, dialect: Any = "spark") -> list[exp.Expr]:
    """The statements of a text, as a dialect of sqlglot reads it; with the same errors."""
    import sqlglot
    from sqlglot.errors import ParseError

    try:
        return [item for item in sqlglot.parse(sql, dialect=dialect) if item is not None]
    except AttributeError as error:  # of sqlglot's own parser, for some texts that are no SQL, such as `1{:}`
        raise ParseError("unexpected text") from error


def error_details(error: Exception) -> dict[str, Any]:
    """What sqlglot knows of a syntax error, such as `description`, `line` and `highlight`."""
    details: dict[str, Any] = (getattr(error, "errors", None) or [{}])[0]
    return details


def shown(node: exp.Expr) -> str:
    """The beginning of a part's SQL, for a message."""
    return node.sql(dialect="spark")[:60]


def check_parts(node: exp.Expr, names: Collection[str]) -> None:
    """Refuse a node with other parts than these, which would be left out in silence.

    Raises:
        Refused: It has others.
    """
    if odd := {name for name, item in node.args.items() if item}.difference(names):
        fix = "write it in plainer words; docs/sql.md says what can be used"
        raise Refused(f"{shown(node)} ({', '.join(sorted(odd))})", fix)


def function_name(node: exp.Expr) -> str:
    """The name of a function as it was called, in small letters; empty where the node is no call."""
    from sqlglot import exp

    return str(node.name).lower() if isinstance(node, exp.Anonymous) else ""
