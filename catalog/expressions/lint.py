"""What SQL may not hold, so that its result is the same on both engines and on every retry (promise P5).

Refused: what depends on the order of rows or files, on time or chance, or on how an engine adds up
floating-point numbers; what the engines read differently; and what leaves the query (other tables' files,
user code).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from catalog.contract import Column
from catalog.documents.meanings import by_word
from catalog.expressions.condition import checked_sql
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


_CHANCE: Final = "the result would differ on each run; take a column of the data, or leave it out"
_ORDER: Final = (
    "which row comes first is not fixed;"
    " use min or max, or a window ordered by a key that ends in (_drop, _row)"
)
_APPROXIMATE: Final = "engines approximate differently; use the exact function"
_FLOATS: Final = "floating-point sums depend on the order of rows; cast to decimal first"
_CODE: Final = "only Spark SQL's own functions run on both engines"
_TEXT: Final = "engines write numbers and nested values differently; leave that to the reader"

FORBIDDEN: Final[dict[str, str]] = by_word(
    {
        _CHANCE: "rand randn random uuid shuffle current_timestamp now current_date localtimestamp"
        " curdate unix_timestamp current_user user session_user current_database version",
        _ORDER: "monotonically_increasing_id spark_partition_id input_file_name"
        " input_file_block_start first first_value last last_value any_value collect_list"
        " array_agg listagg string_agg mode max_by min_by collect_set",
        _APPROXIMATE: "approx_count_distinct approx_percentile percentile_approx approx_top_k"
        " count_min_sketch",
        _FLOATS: "corr covar_pop covar_samp stddev stddev_samp stddev_pop std variance var_samp"
        " var_pop skewness kurtosis regr_slope regr_r2 regr_intercept",
        _CODE: "java_method reflect try_reflect transform ai_query",
        _TEXT: "to_json to_csv format_number schema_of_json",
    }
)
"""Functions by name, with what to write instead."""

_RANKED: Final = frozenset({"first_value", "last_value"})


def order_dependent(tree: exp.Expr) -> Iterator[Finding]:
    """What is refused in a query or an expression, whatever its types are."""
    from sqlglot import exp

    for node in tree.walk():
        name = _function(node)
        if name in FORBIDDEN and not (name in _RANKED and _windowed(node)):
            yield Finding(f"{name}()", line_of(node), FORBIDDEN[name])
        elif isinstance(node, exp.Limit | exp.Fetch):
            if node.parent is None or node.parent.args.get("order") is None:
                fix = "add an ORDER BY that ends in _drop, _row, or leave it out"
                yield Finding("LIMIT without a total order", line_of(node), fix)
        elif isinstance(node, exp.TableSample):
            yield Finding("TABLESAMPLE", line_of(node), _CHANCE)
        elif isinstance(node, exp.RegexpLike | exp.RegexpExtract | exp.RegexpReplace):
            yield from _pattern(node)


def _function(node: exp.Expr) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    # To sqlglot `and` is a function too, whose text is all that it joins.
    if isinstance(node, exp.Func) and not isinstance(node, exp.Connector):
        return node.sql(dialect="spark").partition("(")[0].strip().lower()
    return ""


def _windowed(node: exp.Expr) -> bool:
    """Whether a function is over a window, whose order `catalog.queries.windows` checks."""
    from sqlglot import exp

    around = node.parent
    while isinstance(around, exp.IgnoreNulls | exp.RespectNulls):
        around = around.parent
    return isinstance(around, exp.Window)


def _pattern(node: exp.Expr) -> Iterator[Finding]:
    from sqlglot import exp

    pattern = node.args.get("expression")
    if isinstance(pattern, exp.Literal) and (part := unportable_pattern(pattern.name)) is not None:
        what = f"the pattern {pattern.name!r}: {part!r} does not mean the same on every engine"
        yield Finding(what, line_of(node), PORTABLE)


def line_of(node: exp.Expr) -> int:
    """The line of the node's first word; of the node around it where it has none, as some functions."""
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
    """What is wrong with a row condition, as (what, fix).

    It must be one expression over a row's own columns whose types fit, and it must not hold values of
    `personal` columns.
    """
    from sqlglot import exp

    try:
        tree = parsed(sql)
        checked_sql(sql, tuple(columns.values()))
    except Refused as refused:
        yield refused.what, refused.fix
        return
    except Exception as error:  # noqa: BLE001  (a parser has limits of its own; whichever it met, this expression is at fault)
        fix = "write it shorter, and its brackets not so deep within each other"
        yield f"it can't be read ({type(error).__name__})", fix
        return
    for column in tree.find_all(exp.Column):
        if column.name in personal and _compared(column):
            fix = "a rule's arguments are part of every result: leave it out"
            yield f"it asks for values of the personal column {column.name!r}", fix


def _compared(column: exp.Expr) -> bool:
    """Whether a column is compared with a literal: by an operator, a CASE or a function of text."""
    from sqlglot import exp

    inner, around = column, column.parent
    while around is not None:
        if isinstance(around, exp.Predicate):
            return around.find(exp.Literal) is not None
        if isinstance(around, exp.Anonymous) and any(item.is_string for item in around.find_all(exp.Literal)):
            return True
        if isinstance(around, exp.Case) and around.this is not None:
            sides = [around.this, *(item.this for item in around.args["ifs"])]
            in_when = isinstance(inner, exp.If) and column in list(inner.this.find_all(exp.Column))
            if (inner is around.this or in_when) and any(item.find(exp.Literal) for item in sides):
                return True
        inner, around = around, around.parent
    return False
