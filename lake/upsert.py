"""Upsert: what becomes of each row of a drop, by its key and its order, and what the table holds then.

Of the rows of one key the one with the greatest order counts, of several with the same order the last by drop and record number. It
is inserted, updates the row that stands, deletes it (a tombstone), finds it unchanged, or is outdated: what stands, or was
deleted, is as new or newer. All other rows of the key are outdated. So the table holds each key's newest row, whatever order drops come
in (where two drops tell a key's newest order with other values, the one that came first); the keys that were deleted are remembered with their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from catalog.contract import Contract, Upsert
from catalog.spark_sql import all_of, quoted
from expectations.frame import DROP, HELPER, ROW

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FATE: Final = "_fate"
FATES: Final = ("inserted", "updated", "unchanged", "tombstone", "outdated")
THERE: Final = "_there"
"""Whether the table holds the row's key."""
_NEWEST, _STANDS, _GONE, _CHANGED = "newest", "stands", "gone", "changed"
"""Prefixes of what is joined to a row."""


def find_fates(contract: Contract, upsert: Upsert, rows: DataFrame, table: DataFrame | None, gone: DataFrame | None) -> DataFrame:
    """A drop's valid rows with what becomes of each, `_fate`, and whether the table holds its key, `_there`.

    Args:
        contract: Gives columns and key.
        upsert: Gives the order and which rows are tombstones.
        rows: The drop's rows (a replay's are of several drops): the contract's columns, DROP and ROW; no key and no order is NULL.
        table: The table's, with the same columns; None where it has none.
        gone: What `keys_gone` gave for the version before; None where nothing was deleted.
    """
    from pyspark.sql import functions as F  # noqa: N812

    key, columns = contract.key, [column.name for column in contract.columns]
    newest = rows.groupBy(*map(quoted, key)).agg(F.max(F.struct(quoted(upsert.order), DROP, ROW)).alias(_NEWEST))
    newest = newest.selectExpr(*_named(key, _NEWEST), *[f"{_NEWEST}.{name} as {_name(name, _NEWEST)}" for name in (DROP, ROW)])
    found = newest.join(rows, on=_same(key, _NEWEST), how="right")
    # A frame of no rows stands for a table that isn't there: the query is one and the same.
    stands = (rows.limit(0) if table is None else table).selectExpr(*_named(columns, _STANDS))
    found = found.join(stands, on=_same(key, _STANDS), how="left")
    deleted = (rows.limit(0) if gone is None else gone).selectExpr(*_named([*key, upsert.order], _GONE))
    found = found.join(deleted, on=_same(key, _GONE), how="left")
    order, there = quoted(upsert.order), f"{_name(key[0], _STANDS)} is not null"
    unchanged = all_of([f"{quoted(name)} <=> {_name(name, _STANDS)}" for name in columns])
    outdated = [
        f"{ROW} <> {_name(ROW, _NEWEST)}",
        f"{DROP} <> {_name(DROP, _NEWEST)}",
        f"{_name(upsert.order, _GONE)} >= {order}",
        f"{_name(upsert.order, _STANDS)} > {order}",
    ]
    cases = [
        *[f"when {condition} then 'outdated'" for condition in outdated],
        *([f"when {upsert.tombstone} then 'tombstone'"] if upsert.tombstone else []),
        f"when not ({there}) then 'inserted'",
        f"when {unchanged} then 'unchanged'",
        f"when {_name(upsert.order, _STANDS)} = {order} then 'outdated'",
    ]
    fate = f"case {' '.join(cases)} else 'updated' end as {FATE}"
    return found.selectExpr(*map(quoted, columns), DROP, ROW, fate, f"{there} as {THERE}")


def rows_after(contract: Contract, fates: DataFrame, table: DataFrame | None) -> DataFrame:
    """The table's rows once the drop is part of it: the contract's columns, DROP and ROW."""
    kept = [*[quoted(column.name) for column in contract.columns], DROP, ROW]
    chosen = fates.where(f"{FATE} in ('inserted', 'updated')").select(*kept)
    return chosen if table is None else _without(table, contract.key, fates, "updated", "tombstone").select(*kept).unionByName(chosen)


def keys_gone(contract: Contract, upsert: Upsert, fates: DataFrame, gone: DataFrame | None) -> DataFrame:
    """The deleted keys once the drop is part of the table: the key's columns, the order, DROP and ROW of the tombstone."""
    kept = [*map(quoted, dict.fromkeys([*contract.key, upsert.order])), DROP, ROW]
    chosen = fates.where(f"{FATE} = 'tombstone'").select(*kept)
    return chosen if gone is None else _without(gone, contract.key, fates, "inserted", "tombstone").select(*kept).unionByName(chosen)


def _without(frame: DataFrame, key: Sequence[str], fates: DataFrame, *named: str) -> DataFrame:
    """The rows whose key has no row of such a fate."""
    words = ", ".join(f"'{name}'" for name in named)
    changed = fates.where(f"{FATE} in ({words})").selectExpr(*_named(key, _CHANGED))
    return frame.join(changed, on=_same(key, _CHANGED), how="left_anti")


def _named(names: Sequence[str], prefix: str) -> list[str]:
    return [f"{quoted(name)} as {_name(name, prefix)}" for name in dict.fromkeys(names)]


def _name(name: str, prefix: str) -> str:
    return quoted(f"{HELPER}{prefix}_{name}")


def _same(key: Sequence[str], prefix: str) -> object:
    from pyspark.sql import functions as F  # noqa: N812

    return F.expr(all_of([f"{quoted(name)} = {_name(name, prefix)}" for name in key]))
