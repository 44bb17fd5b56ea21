"""A contract's decisions beyond rules: repeated keys, corrected files, unexpected columns, retention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast, get_args

from catalog.contract import RESCUED, Column, Contract, Keep, SameName, Unexpected, Upsert
from catalog.documents.document import suggest
from catalog.expressions.spark_sql import literal, quoted
from catalog.odcs.custom_properties import Custom
from catalog.retention import Retention

MAX_SHRINK: Final = 0.5
"""Default: a version with less than half of the rows before it is more likely a broken export."""
_DUPLICATES: Final = ("keep", "orderBy")
_UPSERT: Final = ("orderBy", "tombstone")
_ORDERED: Final = ("integer", "double", "date", "timestamp")
"""Types of a column that says which of two rows is the newer."""
_ORDER_COLUMN: Final = f"of type {', '.join(_ORDERED)} that is neither personal nor part of the key"

_RETENTION: Final = ("versions", "days")


def duplicate_keys(custom: Custom, contract: Contract) -> tuple[Keep, tuple[str, ...]]:
    """Which of several rows of a key to keep, and the columns that order them; `none` is the default.

    Raises:
        ContractError: It can't be read, or a column isn't there.
    """
    given = custom.mapping("duplicateKeys", _DUPLICATES)
    if not given:
        return "none", ()
    if contract.write_mode == "upsert":
        what = "rows of one key follow each other in an upsert table"
        fix = "take duplicateKeys out: upsert.orderBy says which row is the newest"
        raise custom.error("duplicateKeys", what, fix=fix)
    if not contract.key:
        marks = "required: true, primaryKey: true and primaryKeyPosition: 1, 2, 3"
        fix = f"mark its key's columns with {marks}, or take duplicateKeys out"
        raise custom.error("duplicateKeys", f"{contract.name} has no key whose rows could repeat", fix=fix)
    keep, order = given.get("keep"), given.get("orderBy", [])
    if keep not in get_args(Keep):
        fix = suggest(keep, get_args(Keep))
        raise custom.error("duplicateKeys", f"duplicateKeys keeps {keep!r}", fix=fix)
    if not isinstance(order, list) or (order and keep == "none"):
        what, fix = (
            f"duplicateKeys orders by {order!r} and keeps {keep}",
            "write {keep: last, orderBy: [updated_at]}",
        )
        raise custom.error("duplicateKeys", what[:200], fix=fix)
    for name in order:
        custom.column("duplicateKeys", contract, name)
    return cast("Keep", keep), tuple(order)


def max_shrink_of(custom: Custom, contract: Contract) -> float | None:
    """Which share of its rows a table may lose at once; None where there is no bound.

    Raises:
        ContractError: It is no share, or the table's versions don't take each other's place.
    """
    whole = contract.kind == "feature" or contract.write_mode == "replace"
    if "maxShrink" not in custom.found:
        return MAX_SHRINK if whole else None
    value = custom.get("maxShrink")
    if not whole:
        what = f"{contract.name} has writeMode {contract.write_mode}: a delivery takes no other's place"
        raise custom.error("maxShrink", what, fix="take maxShrink out")
    if value == "none":
        return None
    if type(value) not in (int, float) or not 0 <= value < 1:
        fix = f"write the share of its rows that the table may lose at once, such as {MAX_SHRINK:g}, or none"
        raise custom.error("maxShrink", f"maxShrink is {value!r}"[:200], fix=fix)
    return float(value)


def upsert_of(custom: Custom, contract: Contract) -> Upsert | None:
    """The column that orders the rows of a key, and the rows that delete it; None where nothing is upserted.

    Raises:
        ContractError: It is missing, misplaced or can't be read, or a column isn't there, is personal or
            may be NULL.
    """
    given = custom.mapping("upsert", _UPSERT)
    if contract.write_mode != "upsert":
        if given:
            what = f"{contract.name} has writeMode {contract.write_mode}"
            raise custom.error("upsert", what, fix="take it out, or write writeMode: upsert")
        return None
    if not (order := given.get("orderBy")):
        what = "nothing says which of two rows of a key is the newer"
        raise custom.error("upsert" if given else "writeMode", what, fix=_upsert_lines(contract))
    if not _orders(custom.column("upsert", contract, order), contract):
        fix = f"name a required column {_ORDER_COLUMN}"
        raise custom.error("upsert", f"rows can't be ordered by {order!r}", fix=fix)
    return Upsert(order, _tombstone(custom, contract, given.get("tombstone")))


def _orders(column: Column, contract: Contract) -> bool:
    usable = column.required and not column.personal
    return usable and column.type in _ORDERED and column.name not in contract.key


def _upsert_lines(contract: Contract) -> str:
    """The YAML that says it, with a column that may be meant: a time before a number."""
    found = [item for item in contract.columns if _orders(item, contract)]
    name = max(found, key=lambda item: _ORDERED.index(item.type)).name if found else "updated_at"
    line = f"- {{property: upsert, value: {{orderBy: {name}}}}}"
    more = "" if found else f"; the column is a required one {_ORDER_COLUMN}"
    return f"write under customProperties, beside writeMode: {line}{more}"


def same_name_of(custom: Custom, contract: Contract) -> SameName:
    """What becomes of a corrected file, which comes under the name of a published one.

    Raises:
        ContractError: It says something else, or the rows don't join a table.
    """
    said = cast("SameName", custom.word("sameName", get_args(SameName), default="refuse"))
    if said == "supersede" and contract.write_mode != "append":
        what = f"{contract.name} has writeMode {contract.write_mode}"
        fix = "take it out: a later file's rows are the newer ones there, or all that there is"
        raise custom.error("sameName", what, fix=fix)
    return said


def _tombstone(custom: Custom, contract: Contract, given: Any) -> str | None:
    """SQL that is true of a row that deletes its key."""
    if given is None:
        return None
    fix = "name one column and its value, for example tombstone: {deleted: true}"
    if not isinstance(given, dict) or len(given) != 1:
        raise custom.error("upsert", f"tombstone is {given!r}"[:200], fix=fix)
    ((name, value),) = given.items()
    column = custom.column("upsert", contract, name)
    wanted = {"boolean": bool, "string": str, "integer": int}.get(column.type)
    if wanted is None or type(value) is not wanted:
        what = f"tombstone compares {name}, which is of type {column.type}, with {value!r}"[:200]
        raise custom.error("upsert", what, fix=f"{fix}; the column must be a boolean, string or integer")
    return f"coalesce({quoted(name)} = {literal(value, column.type)}, false)"


def unexpected_columns(custom: Custom, contract: Contract) -> Contract:
    """The contract with its policy for unexpected columns, and `_rescued` where it rescues them.

    Nobody classified the values of such columns, so `_rescued` is personal.

    Raises:
        ContractError: It says something else.
    """
    said = cast("Unexpected", custom.word("unexpectedColumns", get_args(Unexpected), default="refuse"))
    if said != "rescue":
        return replace(contract, unexpected=said)
    names = tuple(column.name for column in contract.columns)
    what = "columns of the delivery that the contract doesn't name"
    description = f"{what}: canonical JSON of name and text, NULL where there are none"
    rescued = Column(RESCUED, "string", classification="personal", description=description)
    file = replace(contract.file, known=names)
    return replace(contract, unexpected=said, columns=(*contract.columns, rescued), file=file)


def retention_of(custom: Custom) -> Retention | None:
    """How long versions are retained; None where nothing is said: forever.

    Raises:
        ContractError: It can't be read.
    """
    given = custom.mapping("retention", _RETENTION)
    for name, value in given.items():
        if type(value) is not int or value < 1:
            what = f"retention.{name} is {value!r}"
            raise custom.error("retention", what, fix="write a whole number, 1 or more")
    return Retention(given.get("versions"), given.get("days")) if given else None
