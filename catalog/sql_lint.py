"""What SQL may not hold, so that its answer is the same on both engines and on every retry (promise P5).

Refused: what depends on the order of rows or files, on time or chance, or on how an engine adds up floating-point numbers;
what the engines read differently; and what leaves the query (other tables' files, user code).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from catalog.condition import asked
from catalog.condition_tree import parsed
from catalog.contract import Column
from catalog.patterns import PORTABLE, unportable_pattern
from catalog.sql_values import Refused

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
        ("rand", "randn", "random", "uuid", "shuffle", "current_timestamp", "now", "current_date", "localtimestamp", "curdate"), _CHANCE
    ),
    **dict.fromkeys(("unix_timestamp", "current_user", "user", "session_user", "current_database", "version"), _CHANCE),
    **dict.fromkeys(("monotonically_increasing_id", "spark_partition_id", "input_file_name", "input_file_block_start"), _ORDER),
    **dict.fromkeys(
        ("first", "first_value", "last", "last_value", "any_value", "collect_list", "array_agg", "listagg", "string_agg"), _ORDER
    ),
    **dict.fromkeys(("mode", "max_by", "min_by", "collect_set"), _ORDER),
    **dict.fromkeys(("approx_count_distinct", "approx_percentile", "percentile_approx", "approx_top_k", "count_min_sketch"), _APPROXIMATE),
    **dict.fromkeys(("corr", "covar_pop", "covar_samp", "stddev", "stddev_samp", "stddev_pop", "std", "variance", "var_samp"), _FLOATS),
    **dict.fromkeys(("var_pop", "skewness", "kurtosis", "regr_slope", "regr_r2", "regr_intercept"), _FLOATS),
    **dict.fromkeys(("java_method", "reflect", "try_reflect", "transform", "ai_query"), _CODE),
    **dict.fromkeys(("to_json", "to_csv", "format_number", "schema_of_json"), _TEXT),
}
"""Functions by name, with what to write instead."""

_MEAN: Final = "engines round it differently; write cast(sum(a) as double) / count(a)"
_MEANS: Final = frozenset({"avg", "mean", "try_avg"})
_ADDED: Final = frozenset({"sum", "avg", "mean", "try_sum", "try_avg"})
_RANKED: Final = frozenset({"first_value", "last_value"})


def order_dependent(tree: exp.Expr, *, typed: bool = True) -> Iterator[Finding]:
    """What is refused in a query or an expression; sums are looked into where its types are annotated (`typed`)."""
    from sqlglot import exp

    for node in tree.walk():
        name = _function(node)
        if name in FORBIDDEN and not (name in _RANKED and _windowed(node)):
            yield Finding(f"{name}()", line_of(node), FORBIDDEN[name])
        elif typed and name in _ADDED and not _exact(node):
            yield Finding(f"{name}() of floating-point numbers", line_of(node), _FLOATS)
        elif typed and name in _MEANS and not _whole(node):
            yield Finding(f"{name}() of decimals", line_of(node), _MEAN)
        elif isinstance(node, exp.Limit | exp.Fetch) and (node.parent is None or node.parent.args.get("order") is None):
            yield Finding("LIMIT without a total order", line_of(node), "add an ORDER BY that ends in _drop, _row, or leave it out")
        elif isinstance(node, exp.TableSample):
            yield Finding("TABLESAMPLE", line_of(node), _CHANCE)
        elif isinstance(node, exp.RegexpLike | exp.RegexpExtract | exp.RegexpReplace):
            yield from _pattern(node)


def _function(node: exp.Expr) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    if isinstance(node, exp.Func) and not isinstance(node, exp.Connector):  # which `and` is to sqlglot: its text is all that it joins
        return node.sql(dialect="spark").partition("(")[0].strip().lower()
    return ""


def _exact(node: exp.Expr) -> bool:
    """Whether what is added up is known not to be a floating-point number."""
    kind = node.this.type
    return kind is not None and kind.is_type("decimal", "bigint", "int", "smallint", "tinyint", "boolean", "interval")


def _whole(node: exp.Expr) -> bool:
    kind = node.this.type
    return kind is not None and kind.is_type("bigint", "int", "smallint", "tinyint", "interval")


def _windowed(node: exp.Expr) -> bool:
    """Whether a function stands over a window, whose order `catalog.query_windows` looks into."""
    from sqlglot import exp

    around = node.parent
    while isinstance(around, exp.IgnoreNulls | exp.RespectNulls):
        around = around.parent
    return isinstance(around, exp.Window)


def _pattern(node: exp.Expr) -> Iterator[Finding]:
    from sqlglot import exp

    pattern = node.args.get("expression")
    if isinstance(pattern, exp.Literal) and (part := unportable_pattern(pattern.name)) is not None:
        yield Finding(f"the pattern {pattern.name!r}: {part!r} does not mean the same on every engine", line_of(node), PORTABLE)


def line_of(node: exp.Expr) -> int:
    """The line of the node's first word, else (some functions have none) of what stands around it."""
    around: exp.Expr | None = node
    while around is not None:
        for part in around.walk():
            if (line := part.meta.get("line")) is not None:
                return int(line)
        around = around.parent
    return 1


def condition_findings(sql: str, columns: Mapping[str, Column], *, personal: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """What is wrong with a row condition, as (what, fix): it must be one expression over a row's own columns, whose types fit."""
    from sqlglot import exp

    try:
        tree = parsed(sql)
        asked(sql, tuple(columns.values()))
    except Refused as refused:
        yield refused.what, refused.fix
        return
    except Exception as error:  # noqa: BLE001  (a parser has limits of its own; whichever it met, this expression is at fault)
        yield f"it can't be read ({type(error).__name__})", "write it shorter, and its brackets not so deep within each other"
        return
    for column in tree.find_all(exp.Column):
        if column.name in personal and _compared(column):
            yield f"it asks for values of the personal column {column.name!r}", "a rule's arguments stand in every result: leave it out"


def _compared(column: exp.Expr) -> bool:
    """Whether a column is compared with a value that stands in the condition."""
    from sqlglot import exp

    predicate = column.find_ancestor(exp.Predicate)
    return predicate is not None and next(predicate.find_all(exp.Literal), None) is not None
