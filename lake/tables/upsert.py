"""Upsert: the merge action of each row of a drop, by its key and its order, and the table's rows afterwards.

Of all delivered rows of a key one counts: the one with the greatest order; of several with the same order the
one of the drop with the greatest SHA-256; within a drop its last record. A tombstone is a row like others.
Orders that are NULL, NaN or infinite are equal, and less than every number. So the table holds the same,
whatever order drops come in.

A row is inserted, updates the table's row, deletes it (a tombstone), leaves it unchanged, or is outdated: the
table's row, or the deleted one, counts before it. All other rows of the key in its drop are outdated. Deleted
keys are stored with their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from catalog.contract import Contract, Upsert
from catalog.expressions.spark_sql import all_of, quoted
from expectations.rules.aggregates import INFINITY
from expectations.typed_frame import DROP, HELPER, ROW

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MERGE_ACTION: Final = "_fate"
MERGE_ACTIONS: Final = ("inserted", "updated", "unchanged", "tombstone", "outdated")
KEY_EXISTS: Final = "_there"
"""Whether the table holds the row's key."""
LATER: Final = "_later"
"""Whether an unchanged row counts before the table's: then it replaces that one, with the same values."""
_NEWEST, _TABLE, _GONE, _CHANGED = "newest", "table", "gone", "changed"
"""Prefixes of columns that are joined to a row."""


def classify_rows(
    contract: Contract, upsert: Upsert, rows: DataFrame, table: DataFrame | None, gone: DataFrame | None
) -> DataFrame:
    """A drop's valid rows with each one's merge action, `_fate`, and whether the table has its key, `_there`.

    Args:
        contract: Gives columns and key.
        upsert: Gives the order and which rows are tombstones.
        rows: The drop's rows (a replay's are of several drops): the contract's columns, DROP and ROW; no key
            and no order is NULL.
        table: The table's rows, with the same columns; None where there are none.
        gone: What `deleted_keys` returned for the version before; None where nothing was deleted.
    """
    from pyspark.sql import functions as F  # noqa: N812

    key, columns = contract.key, [column.name for column in contract.columns]
    newest = rows.groupBy(*map(quoted, key)).agg(F.expr(f"max({_place(contract, upsert)})").alias(_NEWEST))
    places = [f"{_NEWEST}.{name} as {_name(name, _NEWEST)}" for name in (DROP, ROW)]
    newest = newest.selectExpr(*_named(key, _NEWEST), *places)
    found = newest.join(rows, on=_same(key, _NEWEST), how="right")
    # Without a table, or deleted keys, the query is the same, of a frame without rows.
    current = (rows.limit(0) if table is None else table).selectExpr(*_named([*columns, DROP, ROW], _TABLE))
    found = found.join(current, on=_same(key, _TABLE), how="left")
    deleted = rows.limit(0) if gone is None else gone
    deleted = deleted.selectExpr(*_named([*key, upsert.order, DROP, ROW], _GONE))
    found = found.join(deleted, on=_same(key, _GONE), how="left")
    there, was = (f"{_name(key[0], prefix)} is not null" for prefix in (_TABLE, _GONE))
    unchanged = all_of([f"{_value(contract, name)} <=> {_value(contract, name, _TABLE)}" for name in columns])
    before, deleted_before = (_counts_before(contract, upsert, prefix) for prefix in (_TABLE, _GONE))
    outdated = [
        f"{ROW} <> {_name(ROW, _NEWEST)}",
        f"{DROP} <> {_name(DROP, _NEWEST)}",
        f"{was} and {deleted_before}",
        f"{there} and {before} and not {unchanged}",
    ]
    cases = [
        *[f"when {condition} then 'outdated'" for condition in outdated],
        *([f"when {upsert.tombstone} then 'tombstone'"] if upsert.tombstone else []),
        f"when not ({there}) then 'inserted'",
        f"when {unchanged} then 'unchanged'",
    ]
    action = f"case {' '.join(cases)} else 'updated' end as {MERGE_ACTION}"
    row = [*map(quoted, columns), DROP, ROW]
    found = found.selectExpr(*row, action, f"{there} as {KEY_EXISTS}", f"{before} as {LATER}")
    later = f"{MERGE_ACTION} = 'unchanged' and not {LATER} as {LATER}"
    return found.selectExpr(*row, MERGE_ACTION, KEY_EXISTS, later)


def rows_after(contract: Contract, classified: DataFrame, table: DataFrame | None) -> DataFrame:
    """The table's rows once the drop is merged: the contract's columns, DROP and ROW."""
    columns = [*[quoted(column.name) for column in contract.columns], DROP, ROW]
    chosen = classified.where(f"{MERGE_ACTION} in ('inserted', 'updated') or {LATER}").select(*columns)
    if table is None:
        return chosen
    replaced = f"{MERGE_ACTION} in ('updated', 'tombstone') or {LATER}"
    return _without(table, contract.key, classified, replaced).select(*columns).unionByName(chosen)


def deleted_keys(
    contract: Contract, upsert: Upsert, classified: DataFrame, gone: DataFrame | None
) -> DataFrame:
    """All deleted keys once the drop is merged: the key's columns, the order, DROP and ROW of the tombstone.

    Args:
        contract: Gives the key.
        upsert: Gives the order.
        classified: What `classify_rows` returned.
        gone: The deleted keys of the version before; None where there are none.
    """
    columns = [*map(quoted, dict.fromkeys([*contract.key, upsert.order])), DROP, ROW]
    chosen = classified.where(f"{MERGE_ACTION} = 'tombstone'").select(*columns)
    if gone is None:
        return chosen
    replaced = f"{MERGE_ACTION} in ('inserted', 'tombstone')"
    return _without(gone, contract.key, classified, replaced).select(*columns).unionByName(chosen)


def _without(frame: DataFrame, key: Sequence[str], classified: DataFrame, condition: str) -> DataFrame:
    """The rows whose key has no classified row that meets the condition."""
    changed = classified.where(condition).selectExpr(*_named(key, _CHANGED))
    return frame.join(changed, on=_same(key, _CHANGED), how="left_anti")


def _value(contract: Contract, name: str, prefix: str = "") -> str:
    """A column of a row, or of what is joined to it under a prefix, as it is compared: -0.0 is 0.0."""
    value = _name(name, prefix) if prefix else quoted(name)
    return f"({value} + 0.0D)" if contract.column(name).type == "double" else value


def _order(contract: Contract, upsert: Upsert, prefix: str = "") -> str:
    """The order's value; NULL where it is NULL, NaN or infinite."""
    value = _value(contract, upsert.order, prefix)
    if contract.column(upsert.order).type != "double":
        return value
    finite = f"not isnan({value}) and abs({value}) <> double({INFINITY})"
    return f"(case when {finite} then {value} end)"


def _place(contract: Contract, upsert: Upsert) -> str:
    """A row's place among its key's in a drop, as a struct; engines sort NULL apart, so `known` leads."""
    order = _order(contract, upsert)
    return f"named_struct('known', {order} is not null, 'order', {order}, '{DROP}', {DROP}, '{ROW}', {ROW})"


def _counts_before(contract: Contract, upsert: Upsert, prefix: str) -> str:
    """Whether the row that is joined under a prefix counts before this row; never NULL where there is one."""
    mine, theirs = _order(contract, upsert), _order(contract, upsert, prefix)
    drop, row = _name(DROP, prefix), _name(ROW, prefix)
    later = f"({drop} > {DROP} or ({drop} = {DROP} and {row} >= {ROW}))"
    known = f"({theirs} is not null and {mine} is null)"
    return f"(coalesce({theirs} > {mine}, false) or {known} or ({theirs} <=> {mine} and {later}))"


def _named(names: Sequence[str], prefix: str) -> list[str]:
    return [f"{quoted(name)} as {_name(name, prefix)}" for name in dict.fromkeys(names)]


def _name(name: str, prefix: str) -> str:
    return quoted(f"{HELPER}{prefix}_{name}")


def _same(key: Sequence[str], prefix: str) -> object:
    from pyspark.sql import functions as F  # noqa: N812

    return F.expr(all_of([f"{quoted(name)} = {_name(name, prefix)}" for name in key]))
