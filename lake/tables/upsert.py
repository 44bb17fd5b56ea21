"""Upsert: what becomes of each row of a drop, by its key and its order, and what the table holds then.

Of all rows that were ever told of a key one counts: the one with the greatest order, of several with the same order the one of the
drop with the greatest SHA-256, and within a drop its last record. A tombstone is a row like others. An order that is NULL, NaN or
infinite is less than every number, and all of these are the same. So the table holds the same, whatever order drops come in.

A row is inserted, updates the row that stands, deletes it (a tombstone), finds it unchanged, or is outdated: what stands, or was
deleted, counts before it. All other rows of the key in its drop are outdated. The keys that were deleted are remembered with their order.
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
"""Whether an unchanged row counts before the one that stands: then it stands itself, with the same values."""
_NEWEST, _STANDS, _GONE, _CHANGED = "newest", "stands", "gone", "changed"
"""Prefixes of what is joined to a row."""


def classify_rows(
    contract: Contract, upsert: Upsert, rows: DataFrame, table: DataFrame | None, gone: DataFrame | None
) -> DataFrame:
    """A drop's valid rows with what becomes of each, `_fate`, and whether the table holds its key, `_there`.

    Args:
        contract: Gives columns and key.
        upsert: Gives the order and which rows are tombstones.
        rows: The drop's rows (a replay's are of several drops): the contract's columns, DROP and ROW; no key and no order is NULL.
        table: The table's, with the same columns; None where it has none.
        gone: What `deleted_keys` gave for the version before; None where nothing was deleted.
    """
    from pyspark.sql import functions as F  # noqa: N812

    key, columns = contract.key, [column.name for column in contract.columns]
    kept = [*columns, DROP, ROW]
    newest = rows.groupBy(*map(quoted, key)).agg(F.expr(f"max({_place(contract, upsert)})").alias(_NEWEST))
    newest = newest.selectExpr(
        *_named(key, _NEWEST), *[f"{_NEWEST}.{name} as {_name(name, _NEWEST)}" for name in (DROP, ROW)]
    )
    found = newest.join(rows, on=_same(key, _NEWEST), how="right")
    # A frame of no rows stands for a table that isn't there: the query is one and the same.
    stands = (rows.limit(0) if table is None else table).selectExpr(*_named(kept, _STANDS))
    found = found.join(stands, on=_same(key, _STANDS), how="left")
    deleted = (rows.limit(0) if gone is None else gone).selectExpr(
        *_named([*key, upsert.order, DROP, ROW], _GONE)
    )
    found = found.join(deleted, on=_same(key, _GONE), how="left")
    there, was = (f"{_name(key[0], prefix)} is not null" for prefix in (_STANDS, _GONE))
    unchanged = all_of(
        [f"{_value(contract, name)} <=> {_value(contract, name, _STANDS)}" for name in columns]
    )
    before, deleted_before = (_counts_before(contract, upsert, prefix) for prefix in (_STANDS, _GONE))
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
    fate = f"case {' '.join(cases)} else 'updated' end as {MERGE_ACTION}"
    found = found.selectExpr(
        *map(quoted, columns), DROP, ROW, fate, f"{there} as {KEY_EXISTS}", f"{before} as {LATER}"
    )
    return found.selectExpr(
        *map(quoted, columns),
        DROP,
        ROW,
        MERGE_ACTION,
        KEY_EXISTS,
        f"{MERGE_ACTION} = 'unchanged' and not {LATER} as {LATER}",
    )


def rows_after(contract: Contract, fates: DataFrame, table: DataFrame | None) -> DataFrame:
    """The table's rows once the drop is part of it: the contract's columns, DROP and ROW."""
    kept = [*[quoted(column.name) for column in contract.columns], DROP, ROW]
    chosen = fates.where(f"{MERGE_ACTION} in ('inserted', 'updated') or {LATER}").select(*kept)
    if table is None:
        return chosen
    return (
        _without(table, contract.key, fates, f"{MERGE_ACTION} in ('updated', 'tombstone') or {LATER}")
        .select(*kept)
        .unionByName(chosen)
    )


def deleted_keys(contract: Contract, upsert: Upsert, fates: DataFrame, gone: DataFrame | None) -> DataFrame:
    """The deleted keys once the drop is part of the table: the key's columns, the order, DROP and ROW of the tombstone."""
    kept = [*map(quoted, dict.fromkeys([*contract.key, upsert.order])), DROP, ROW]
    chosen = fates.where(f"{MERGE_ACTION} = 'tombstone'").select(*kept)
    if gone is None:
        return chosen
    return (
        _without(gone, contract.key, fates, f"{MERGE_ACTION} in ('inserted', 'tombstone')")
        .select(*kept)
        .unionByName(chosen)
    )


def _without(frame: DataFrame, key: Sequence[str], fates: DataFrame, condition: str) -> DataFrame:
    """The rows whose key has no row with such a fate."""
    changed = fates.where(condition).selectExpr(*_named(key, _CHANGED))
    return frame.join(changed, on=_same(key, _CHANGED), how="left_anti")


def _value(contract: Contract, name: str, prefix: str = "") -> str:
    """A column of a row, or of what is joined to it under a prefix, as it is compared: -0.0 is 0.0."""
    value = _name(name, prefix) if prefix else quoted(name)
    return f"({value} + 0.0D)" if contract.column(name).type == "double" else value


def _order(contract: Contract, upsert: Upsert, prefix: str = "") -> str:
    """What the order says; NULL where it says nothing."""
    value = _value(contract, upsert.order, prefix)
    finite = f"not isnan({value}) and abs({value}) <> double({INFINITY})"
    return (
        f"(case when {finite} then {value} end)" if contract.column(upsert.order).type == "double" else value
    )


def _place(contract: Contract, upsert: Upsert) -> str:
    """A row's place among those of its key in a drop, as a struct; engines place NULL differently, so it is said."""
    order = _order(contract, upsert)
    return f"named_struct('known', {order} is not null, 'order', {order}, '{DROP}', {DROP}, '{ROW}', {ROW})"


def _counts_before(contract: Contract, upsert: Upsert, prefix: str) -> str:
    """Whether what is joined under a prefix counts before the row; never NULL where it is there."""
    mine, theirs = _order(contract, upsert), _order(contract, upsert, prefix)
    drop, row = _name(DROP, prefix), _name(ROW, prefix)
    told_later = f"({drop} > {DROP} or ({drop} = {DROP} and {row} >= {ROW}))"
    known = f"({theirs} is not null and {mine} is null)"
    return f"(coalesce({theirs} > {mine}, false) or {known} or ({theirs} <=> {mine} and {told_later}))"


def _named(names: Sequence[str], prefix: str) -> list[str]:
    return [f"{quoted(name)} as {_name(name, prefix)}" for name in dict.fromkeys(names)]


def _name(name: str, prefix: str) -> str:
    return quoted(f"{HELPER}{prefix}_{name}")


def _same(key: Sequence[str], prefix: str) -> object:
    from pyspark.sql import functions as F  # noqa: N812

    return F.expr(all_of([f"{quoted(name)} = {_name(name, prefix)}" for name in key]))
