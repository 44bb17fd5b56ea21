"""What SQL may not hold, so that its answer is the same on both engines and on every retry (promise P5).

Refused: what depends on the order of rows or files, on time or chance, or on how an engine adds up floating-point numbers;
what the engines read differently; and what leaves the query (other tables' files, user code).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from catalog.contract import Column
from catalog.expressions.condition import asked
from catalog.expressions.condition_tree import parsed
from catalog.expressions.patterns import PORTABLE, unportable_pattern
from catalog.expressions.values import Refused

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class Finding:
    """One thing that is refused: what, on which line of the SQL, and what to write instead."""

    what: str
    line: int
    fix: str


_CHANCE: Final = "the answer would be another one on each run; take a column of the data, or leave it out"
_ORDER: Final = "which row comes first is not fixed; use min or max, or a window ordered by a key that ends in (_drop, _row)"
_APPROXIMATE: Final = "engines approximate differently; use the exact function"
_FLOATS: Final = "floating-point sums depend on the order of rows; cast to decimal first"
_CODE: Final = "only Spark SQL's own functions run on both engines"
_TEXT: Final = "engines write numbers and nested values differently; leave that to the reader"

FORBIDDEN: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "rand",
            "randn",
            "random",
            "uuid",
            "shuffle",
            "current_timestamp",
            "now",
            "current_date",
            "localtimestamp",
            "curdate",
        ),
        _CHANCE,
    ),
    **dict.fromkeys(
        ("unix_timestamp", "current_user", "user", "session_user", "current_database", "version"), _CHANCE
    ),
    **dict.fromkeys(
        ("monotonically_increasing_id", "spark_partition_id", "input_file_name", "input_file_block_start"),
        _ORDER,
    ),
    **dict.fromkeys(
        (
            "first",
            "first_value",
            "last",
            "last_value",
            "any_value",
            "collect_list",
            "array_agg",
            "listagg",
            "string_agg",
        ),
        _ORDER,
    ),
    **dict.fromkeys(("mode", "max_by", "min_by", "collect_set"), _ORDER),
    **dict.fromkeys(
        (
            "approx_count_distinct",
            "approx_percentile",
            "percentile_approx",
            "approx_top_k",
            "count_min_sketch",
        ),
        _APPROXIMATE,
    ),
    **dict.fromkeys(
        (
            "corr",
            "covar_pop",
            "covar_samp",
            "stddev",
            "stddev_samp",
            "stddev_pop",
            "std",
            "variance",
            "var_samp",
        ),
        _FLOATS,
    ),
    **dict.fromkeys(("var_pop", "skewness", "kurtosis", "regr_slope", "regr_r2", "regr_intercept"), _FLOATS),
    **dict.fromkeys(("java_method", "reflect", "try_reflect", "transform", "ai_query"), _CODE),
    **dict.fromkeys(("to_json", "to_csv", "format_number", "schema_of_json"), _TEXT),
}
"""Functions by name, with what to write instead."""

_RANKED: Final = frozenset({"first_value", "last_value"})


def order_dependent(tree: exp.Expr) -> Iterator[Finding]:
    """What is refused in a query or an expression, whatever its types are."""
    from sqlglot import exp

    for node in tree.walk():
        name = _function(node)
        if name in FORBIDDEN and not (name in _RANKED and _windowed(node)):
            yield Finding(f"{name}()", line_of(node), FORBIDDEN[name])
        elif isinstance(node, exp.Limit | exp.Fetch) and (
            node.parent is None or node.parent.args.get("order") is None
        ):
            yield Finding(
                "LIMIT without a total order",
                line_of(node),
                "add an ORDER BY that ends in _drop, _row, or leave it out",
            )
        elif isinstance(node, exp.TableSample):
            yield Finding("TABLESAMPLE", line_of(node), _CHANCE)
        elif isinstance(node, exp.RegexpLike | exp.RegexpExtract | exp.RegexpReplace):
            yield from _pattern(node)


def _function(node: exp.Expr) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    if isinstance(node, exp.Func) and not isinstance(
        node, exp.Connector
    ):  # which `and` is to sqlglot: its text is all that it joins
        return node.sql(dialect="spark").partition("(")[0].strip().lower()
    return ""


def _windowed(node: exp.Expr) -> bool:
    """Whether a function stands over a window, whose order `catalog.queries.windows` looks into."""
    from sqlglot import exp

    around = node.parent
    while isinstance(around, exp.IgnoreNulls | exp.RespectNulls):
        around = around.parent
    return isinstance(around, exp.Window)


def _pattern(node: exp.Expr) -> Iterator[Finding]:
    from sqlglot import exp

    pattern = node.args.get("expression")
    if isinstance(pattern, exp.Literal) and (part := unportable_pattern(pattern.name)) is not None:
        yield Finding(
            f"the pattern {pattern.name!r}: {part!r} does not mean the same on every engine",
            line_of(node),
            PORTABLE,
        )


def line_of(node: exp.Expr) -> int:
    """The line of the node's first word, else (some functions have none) of what stands around it."""
    around: exp.Expr | None = node
    while around is not None:
        for part in around.walk():
            if (line := part.meta.get("line")) is not None:
                return int(line)
        around = around.parent
    return 1


def condition_findings(
    sql: str, columns: Mapping[str, Column], *, personal: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """What is wrong with a row condition, as (what, fix): it must be one expression over a row's own columns, whose types fit."""
    from sqlglot import exp

    try:
        tree = parsed(sql)
        asked(sql, tuple(columns.values()))
    except Refused as refused:
        yield refused.what, refused.fix
        return
    except Exception as error:  # noqa: BLE001  (a parser has limits of its own; whichever it met, this expression is at fault)
        yield (
            f"it can't be read ({type(error).__name__})",
            "write it shorter, and its brackets not so deep within each other",
        )
        return
    for column in tree.find_all(exp.Column):
        if column.name in personal and _compared(column):
            yield (
                f"it asks for values of the personal column {column.name!r}",
                "a rule's arguments stand in every result: leave it out",
            )


def _compared(column: exp.Expr) -> bool:
    """Whether a column is compared with a value that stands in the condition: by an operator, a CASE or a function that is given text."""
    from sqlglot import exp

    inner, around = column, column.parent
    while around is not None:
        if isinstance(around, exp.Predicate):
            return next(around.find_all(exp.Literal), None) is not None
        if isinstance(around, exp.Anonymous) and any(item.is_string for item in around.find_all(exp.Literal)):
            return True
        if isinstance(around, exp.Case) and around.this is not None:
            told = [around.this, *(item.this for item in around.args["ifs"])]
            within = inner is around.this or (
                isinstance(inner, exp.If) and column in list(inner.this.find_all(exp.Column))
            )
            if within and any(next(item.find_all(exp.Literal), None) is not None for item in told):
                return True
        inner, around = around, around.parent
    return False
