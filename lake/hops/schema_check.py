"""The columns of a table that rows are added to: they can't change once it has a version."""

from __future__ import annotations

from catalog.contract import RESCUED, Contract
from lake.hops.published import published_version
from lake.session import Session
from lake.versions import publish
from lakegate.errors import ContractError
from lakegate.names import VersionName


def check_columns(session: Session, contract: Contract, *, gives_back: bool = False) -> None:
    """Refuse to append rows of other columns than the table's versions have; `gives_back`: as a replay does on every table.

    Raises:
        ContractError: The contract's columns or types are not those of the latest version; nothing was written.
    """
    head = publish.head(session.repository, contract.name)
    appends = contract.write_mode != "replace"
    if head is None or not (appends or gives_back):
        return
    latest = published_version(session, VersionName(contract.name, int(head["version"])))
    before = {item["name"]: item["type"] for item in latest.manifest.schema}
    now = {column.name: column.type for column in contract.columns}
    changes = [f"{name} is new" for name in now if name not in before] + [
        f"{name} is gone" for name in before if name not in now
    ]
    changes += [
        f"{name} was {before[name]} and is {kind} now"
        for name, kind in now.items()
        if before.get(name, kind) != kind
    ]
    if changes:
        what = f"the contract's columns are not those of {latest.name}: {'; '.join(changes)}"
        fix = "a table that rows are added to keeps its columns; put them back, rebuild it by `lakegate reprocess` where all its "
        fix += "deliveries have these, or describe the new files as a dataset of their own"
        if not appends:
            fix = "the next delivery brings them; until then put them back, or leave the rows where they are"
        if (RESCUED in before) is not (RESCUED in now):
            fix = f"{RESCUED} comes with unexpectedColumns: rescue, which such a table keeps or never has; {fix}"
        raise ContractError(what, where=str(contract.path), fix=fix)
