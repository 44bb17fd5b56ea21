"""What a contract decides about rows and columns that no rule foresees: keys that come twice, columns that nobody announced."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast, get_args

from catalog.contract import RESCUED, Column, Contract, Keep, Unexpected
from catalog.custom import Custom
from catalog.document import suggest

_DUPLICATES: Final = ("keep", "orderBy")


def duplicate_keys(custom: Custom, contract: Contract) -> tuple[Keep, tuple[str, ...]]:
    """Which row of a key is kept, and the columns that order them; none where nothing is said.

    Raises:
        ContractError: It can't be read, or a column isn't there.
    """
    given = custom.mapping("duplicateKeys", _DUPLICATES)
    if not given:
        return "none", ()
    keep, order = given.get("keep"), given.get("orderBy", [])
    if keep not in get_args(Keep):
        raise custom.error("duplicateKeys", f"duplicateKeys keeps {keep!r}", fix=suggest(keep, get_args(Keep)))
    if not isinstance(order, list) or (order and keep == "none"):
        fix = "write {keep: last, orderBy: [updated_at]}"
        raise custom.error("duplicateKeys", f"duplicateKeys orders by {order!r} and keeps {keep}"[:200], fix=fix)
    known = [column.name for column in contract.columns]
    for name in order:
        if name not in known:
            raise custom.error("duplicateKeys", f"{contract.name} has no column {name!r}", fix=suggest(name, known))
    return cast("Keep", keep), tuple(order)


def unexpected_columns(custom: Custom, contract: Contract) -> Contract:
    """The contract with what it says of columns that it doesn't name; where it rescues them, with the column that keeps them.

    What comes in such a column nobody classified, so the rescue column is personal.

    Raises:
        ContractError: It says something else.
    """
    said = cast("Unexpected", custom.word("unexpectedColumns", get_args(Unexpected), default="refuse"))
    if said != "rescue":
        return replace(contract, unexpected=said)
    names = tuple(column.name for column in contract.columns)
    told = "columns of the delivery that the contract doesn't name: canonical JSON of name and text, NULL where there are none"
    kept = Column(RESCUED, "string", classification="personal", description=told)
    return replace(contract, unexpected=said, columns=(*contract.columns, kept), file=replace(contract.file, known=names))
