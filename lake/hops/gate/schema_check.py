"""The columns of a table that rows are added to: they can't change once it has a version."""

from __future__ import annotations

from catalog.contract import RESCUED, Contract
from lake.hops.published import latest_version
from lake.session import Session
from lakegate.errors import ContractError


def check_columns(session: Session, contract: Contract, *, gives_back: bool = False) -> None:
    """Refuse to append rows of other columns than the table's latest version has.

    Args:
        session: The open lake.
        contract: The contract as it is now.
        gives_back: Whether a replay adds the rows, which appends to every kind of table.

    Raises:
        ContractError: The columns or types are not those of the latest version; nothing was written.
    """
    appends = contract.write_mode != "replace"
    if not (appends or gives_back) or (latest := latest_version(session, contract.name)) is None:
        return
    before = {item["name"]: item["type"] for item in latest.manifest.schema}
    now = {column.name: column.type for column in contract.columns}
    changes = [f"{name} is new" for name in now if name not in before]
    changes += [f"{name} is gone" for name in before if name not in now]
    for name, kind in now.items():
        if before.get(name, kind) != kind:
            changes.append(f"{name} was {before[name]} and is {kind} now")
    if not changes:
        return
    what = f"the contract's columns are not those of {latest.name}: {'; '.join(changes)}"
    fix = "the next delivery brings them; until then put them back, or leave the rows where they are"
    if appends:
        fix = (
            "a table that rows are added to keeps its columns; put them back, "
            "rebuild it by `lakegate reprocess` where all its deliveries have these, "
            "or describe the new files as a dataset of their own"
        )
    if (RESCUED in before) is not (RESCUED in now):
        fix = f"{RESCUED} comes with unexpectedColumns: rescue, which such a table keeps or never has; {fix}"
    raise ContractError(what, where=str(contract.path), fix=fix)
