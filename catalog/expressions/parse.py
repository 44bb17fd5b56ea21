"""SQL as a tree of what was written: each function keeps its name and its arguments, whatever sqlglot knows of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

OPERATORS = ("CAST", "TRY_CAST")
"""What looks like a function and is parsed as an operator."""


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
    import sqlglot

    return [item for item in sqlglot.parse(sql, dialect=_dialect()) if item is not None]


def function_name(node: exp.Expr) -> str:
    """The name of a function as it was called, in small letters; empty where the node is none."""
    from sqlglot import exp

    return str(node.name).lower() if isinstance(node, exp.Anonymous) else ""
