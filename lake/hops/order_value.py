"""The value that orders a drop among those of its dataset: the least of a column, by its type."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from catalog.contract import ColumnType, Contract
from catalog.expressions.spark_sql import quoted
from expectations.rules.aggregates import INFINITY
from expectations.typed_frame import ROW, plain_column, typed
from lake.parsing.parsed import Parsed
from lake.parsing.staging_file import read_staging

if TYPE_CHECKING:
    from lake.engine.engine import Engine

OrderValue = int | float | str
LONGEST: Final = 200
"""Characters of a text that orders drops."""


def order_value(engine: Engine, contract: Contract, parsed: Parsed) -> OrderValue | None:
    """The least value of the column that orders a dataset's drops; None where no record has a readable one.

    A date or time is ISO 8601 text, in UTC. NaN and the infinite numbers are no order.
    """
    if contract.order_by is None or parsed.staging is None or contract.order_by not in parsed.columns:
        return None
    found = _least(engine, contract, parsed)
    if found is None:
        return None
    kind = contract.column(contract.order_by).type
    if kind == "date":
        return str(found.isoformat())
    if kind == "timestamp":
        return str(_aware(found).astimezone(UTC).replace(tzinfo=None).isoformat() + "Z")
    if isinstance(found, str) and not (found.isprintable() and len(found) <= LONGEST):
        return None
    least: OrderValue = found
    return least


def comes_before(theirs: OrderValue, mine: OrderValue, kind: ColumnType) -> bool:
    """Whether a drop of one value comes before one of the other.

    What an older release recorded is read as the column's type; where that fails, neither comes before the
    other.
    """
    one, other = rank(theirs, kind), rank(mine, kind)
    return one is not None and other is not None and type(one) is type(other) and one < other  # type: ignore[operator]


def rank(value: OrderValue | None, kind: ColumnType) -> OrderValue | None:
    """The comparable form of a recorded value; None where it is none of the column's type."""
    if value is None or kind == "string":
        return value if isinstance(value, str) else None
    try:
        if kind in ("date", "timestamp"):
            return _aware(datetime.fromisoformat(str(value))).timestamp()
        number = int(value) if kind == "integer" else float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _least(engine: Engine, contract: Contract, parsed: Parsed) -> Any:
    """The least value: of plain ones alone by Arrow, else by the engine, typed as in the processed hop."""
    import pyarrow.compute as pc

    column = contract.column(str(contract.order_by))
    if parsed.staging is None:
        return None
    columns = read_staging(parsed.staging, [column.name, plain_column(column.name)])
    texts = columns.column(column.name)
    if plain_column(column.name) in columns.column_names and texts.null_count == len(texts):
        return pc.min(columns.column(plain_column(column.name))).as_py()
    if column.type == "string":
        return pc.min(texts).as_py()
    alone = replace(contract, columns=(column,))
    frame = typed(engine.read_staging(parsed.staging).select(*columns.column_names, ROW), alone)
    value = quoted(column.name)
    if column.type == "double":
        frame = frame.where(f"not isnan({value}) and abs({value}) <> double({INFINITY})")
    return engine.arrow(frame.selectExpr(f"min({value}) as least")).column(0)[0].as_py()
