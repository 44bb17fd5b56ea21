"""The engine's SQL of a feature table: each column in its contract's type; no number wraps (promise P5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from catalog.contract import Column, Contract
from catalog.expressions.lint import line_of
from catalog.expressions.parse import written
from catalog.expressions.spark_sql import SPARK_TYPES, quoted
from catalog.expressions.values import LARGEST_INTEGER, Refused, Value, of_column, refuse_all
from catalog.mistakes import joined
from catalog.queries.query import relation
from catalog.queries.relation import Relation, select, stored
from catalog.queries.scope import Rows
from lakegate.errors import ContractError

if TYPE_CHECKING:
    from sqlglot import exp

PROVENANCE: Final = (Column("_drop", "string"), Column("_row", "integer"))
"""The columns that name the drop and record of a driver's row; its feature rows inherit them (promise P8)."""
TOO_GREAT: Final = -(2**63)
"""Written on the candidate for a whole number of more than 18 digits; such a candidate is not published."""


_SHOWN: Final = 120
_ALIAS: Final = "_feature"


@dataclass(frozen=True)
class FeatureQuery:
    """The engine's SQL of a feature, and the columns that may hold `TOO_GREAT`."""

    sql: str
    checked: tuple[str, ...]


def feature_query(
    contract: Contract,
    inputs: Mapping[str, Sequence[Column]],
    *,
    keys: Mapping[str, Sequence[str]] | None = None,
) -> FeatureQuery:
    """The SQL of a feature over inputs with these columns.

    Args:
        contract: The feature.
        inputs: The columns of each input, by its table's name.
        keys: The keys of inputs that are feature tables, where one row of the driver may have several rows.
            Of all others `_drop` and `_row` are the key.

    Raises:
        ContractError: Its types don't fit, or it holds what engines read differently; the line, and what to
            write instead.
    """
    node = written(contract.sql or "")[0]
    try:
        return _typed_columns(node, contract, _tables(inputs, keys or {}))
    except Refused as refused:
        raise joined([_error(item, node, contract) for item in (refused, *refused.others)]) from None


def _error(refused: Refused, node: exp.Expr, contract: Contract) -> ContractError:
    at = refused.node if refused.node is not None else node
    text = at.sql(dialect="spark")
    inside = "" if len(text) > _SHOWN or text in refused.what else f", in {text}"
    where = f"{contract.sql_path}:{line_of(at)}"
    return ContractError(f"{refused.what}{inside}", where=where, fix=refused.fix)


def _tables(inputs: Mapping[str, Sequence[Column]], keys: Mapping[str, Sequence[str]]) -> dict[str, Relation]:
    found = {}
    for name, columns in inputs.items():
        given = tuple((column.name, of_column(column)) for column in (*columns, *PROVENANCE))
        key = keys.get(name, [column.name for column in PROVENANCE])
        found[name.lower()] = Relation("", given, key=frozenset(key))
    return found


def _typed_columns(node: exp.Expr, contract: Contract, tables: Mapping[str, Relation]) -> FeatureQuery:
    found = relation(node, Rows([], _unread), tables)
    given, parts, checked, wrong = dict(found.columns), list[str](), list[str](), list[Refused]()
    for column in (*contract.columns, *PROVENANCE):
        if column.name not in given:
            fix = "select it, or take it out of the contract"
            raise Refused(f"the SQL gives no column {column.name}", fix)
        try:
            sql, guarded = _typed(stored(given[column.name], column.name, _ALIAS), column, contract)
        except Refused as refused:
            refused.node = _item(node, column.name)
            wrong.append(refused)
            continue
        parts.append(f"{sql} as {quoted(column.name)}")
        checked += [column.name] if guarded else []
    refuse_all(wrong)
    return FeatureQuery(select(parts, found.sql, _ALIAS), tuple(checked))


def _unread(*_: object) -> Relation:  # replaced by the query that the scope is of
    raise AssertionError


def _item(node: exp.Expr, name: str) -> exp.Expr:
    from sqlglot import exp

    assert isinstance(node, exp.Query)  # noqa: S101  (sqlglot is imported late)
    return next((item for item in node.selects if item.alias_or_name == name), node)


def line_of_column(contract: Contract, name: str) -> int:
    """The line on which the SQL gives a column."""
    return line_of(_item(written(contract.sql or "")[0], name))


def _typed(value: Value, column: Column, contract: Contract) -> tuple[str, bool]:
    """A column of the result in its declared type, and whether it may hold `TOO_GREAT`."""
    wanted = SPARK_TYPES[column.type]
    if value.kind == "null":
        return f"cast(null as {wanted})", False
    if column.type == "double" and value.number:
        return value.double, False
    if column.type == "integer" and value.whole:
        if value.most <= LARGEST_INTEGER:
            return f"cast({value.sql} as bigint)", False
        fits = f"abs(cast({value.sql} as decimal(38, 0))) < {LARGEST_INTEGER}"
        bigint = f"when {fits} then try_cast({value.sql} as bigint) else -{2**63 - 1}L - 1L"
        return f"case when {value.sql} is null then null {bigint} end", True
    if column.type != value.kind:
        given: str = value.kind
        if value.kind == "exact":
            given = f"decimal({value.digits}, {value.scale})" if value.scale else "bigint"
        what = f"the SQL gives {column.name} as {given}, the contract says {column.type}"
        fix = f"cast it to {wanted} in the SQL, or correct its logicalType in {contract.path.name}"
        raise Refused(what, fix)
    return value.sql, False
