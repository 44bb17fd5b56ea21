"""The names of deliveries: an append table takes one published drop under each name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from catalog.contract import Contract
from expectations.suite import Rule
from expectations.verdict import Outcome
from lake import paths
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import Drop
from lake.session import Session
from lakegate.errors import UsageError

NAME_TAKEN: Final = Rule(
    "delivered-name", "expect_delivered_name_to_be_new", {}, "block", "duplicate", row_rule=False
)
"""On an append table other bytes can't come under the name of a published drop."""


def name_taken(drop: Drop) -> Outcome:
    """The broken rule of a drop of an append dataset under the name of another published drop."""
    found = f"a published drop was delivered as {drop.name} with other bytes"
    return Outcome(NAME_TAKEN, 1, 1, {"told": found})


def check_appends(contract: Contract) -> None:
    """Refuse a correction of a drop in a table whose rows are not those of one drop after the other.

    Raises:
        UsageError: It is such a table; nothing was taken in.
    """
    if contract.write_mode == "append":
        return
    effect = "it takes the place of all that is there"
    if contract.upsert:
        effect = f"its rows win where their {contract.upsert.order} is later"
    what = f"{contract.name} has writeMode {contract.write_mode}"
    raise UsageError(what, fix=f"deliver the corrected file as any other: {effect}")


def check_corrects(session: Session, contract: Contract, path: Path) -> None:
    """Refuse a corrected file where no drop was published under its name: its rows would be added.

    Raises:
        UsageError: There is none; nothing was taken in.
    """
    if session.repository.get_json(MAIN, name_path_of(contract.name, path.name)) is None:
        what = f"no published drop of {contract.name} is named {path.name}"
        fix = "give the corrected file the name of the one that it corrects, or leave --supersede out"
        raise UsageError(what, where=str(path), fix=fix)


def other_name(contract: Contract) -> str:
    """What to do with a file whose name is taken: nothing is wrong with it, or with its contract."""
    correction = f"`lakegate ingest {contract.name} FILE --supersede`"
    return (
        "Deliver it under a name of its own where its rows are further ones, "
        f"or by {correction} where it corrects that drop"
    )


def name_holder(session: Session, contract: Contract, drop: Drop, *, base: str) -> str | None:
    """The other drop of an append dataset that was published under this one's name."""
    if contract.write_mode != "append":
        return None
    known = session.repository.get_json(base, name_path_of(contract.name, drop.name))
    return None if known is None or known["drop"] == drop.sha256 else str(known["drop"])


def name_path_of(dataset: str, name: str) -> str:
    """The path of the record which drop was published under a name."""
    return paths.delivered_name(dataset, hashlib.sha256(name.encode()).hexdigest()[:32])
