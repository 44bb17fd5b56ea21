"""How many rows may be lost: a share, a number, or both, as a contract writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lakegate.errors import ContractError

BUDGET: Final = "write a share from 0 to 1, such as 0.1, or {rows: 100}, or both: {share: 0.1, rows: 100}"


def budget_of(value: Any, mistake: Callable[[], ContractError]) -> tuple[float | None, int | None]:
    """A share and a number of rows, each None where it is not given.

    Raises:
        ContractError: The mistake, where the value is no budget.
    """
    given = value if isinstance(value, dict) and value else {"share": value}
    share, rows = given.get("share"), given.get("rows")
    if given.keys() - {"share", "rows"} or (share is None and rows is None):
        raise mistake()
    if share is not None and not (type(share) in (int, float) and 0 <= share <= 1):
        raise mistake()
    if rows is not None and (type(rows) is not int or rows < 0):
        raise mistake()
    return (None if share is None else float(share)), rows
