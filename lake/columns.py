"""The columns of a table that is appended to: they can't change once it has a version."""

from __future__ import annotations

from catalog.contract import Contract
from lake import publish
from lake.hop import finished
from lake.session import Session
from lakegate.errors import ContractError
from lakegate.names import VersionName


def check_columns(session: Session, contract: Contract) -> None:
    """Refuse to append rows of other columns than the table's versions have.

    Raises:
        ContractError: The contract's columns or types are not those of the latest version; nothing was written.
    """
    head = publish.head(session.repository, contract.name)
    if contract.write_mode != "append" or head is None:
        return
    latest = finished(session, VersionName(contract.name, int(head["version"])))
    before = {item["name"]: item["type"] for item in latest.manifest.schema}
    now = {column.name: column.type for column in contract.columns}
    changes = [f"{name} is new" for name in now if name not in before] + [f"{name} is gone" for name in before if name not in now]
    changes += [f"{name} was {before[name]} and is {kind} now" for name, kind in now.items() if before.get(name, kind) != kind]
    if changes:
        what = f"the contract's columns are not those of {latest.name}: {'; '.join(changes)}"
        fix = "an append table keeps its columns; put them back, or describe the new files as a dataset of their own"
        raise ContractError(what, where=str(contract.path), fix=fix)
