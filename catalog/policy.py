"""What a contract decides about rows and columns that no rule foresees: keys that come twice, columns that nobody announced."""

from __future__ import annotations

from typing import Final, cast, get_args

from catalog.contract import Contract, Keep
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


def ignores_columns(custom: Custom) -> bool:
    """Whether columns that the contract doesn't name are left out, and not refused.

    Raises:
        ContractError: It says neither.
    """
    if custom.get("unexpectedColumns") == "rescue":
        fix = "use ignore: the delivered file keeps them, and they come into the table once the contract names them; or refuse"
        raise custom.error("unexpectedColumns", "unexpectedColumns: rescue comes later", fix=fix)
    return custom.word("unexpectedColumns", ("refuse", "ignore"), default="refuse") == "ignore"
