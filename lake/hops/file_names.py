"""The names of deliveries: where rows join a table, that of a published drop is taken."""

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
"""On an append table the name of a published drop that stands can't come again with other bytes."""


def name_taken(drop: Drop) -> Outcome:
    """The broken rule, where a drop of an append dataset comes under the name of another that was published."""
    return Outcome(
        NAME_TAKEN, 1, 1, {"told": f"a published drop was delivered as {drop.name} with other bytes"}
    )


def check_appends(contract: Contract) -> None:
    """Refuse that a drop's place is taken in a table whose rows are not those of one drop after the other.

    Raises:
        UsageError: It is such a table; nothing was taken in.
    """
    if contract.write_mode != "append":
        what, fix = (
            f"{contract.name} has writeMode {contract.write_mode}",
            "deliver the corrected file as any other: ",
        )
        fix += (
            f"its rows win where their {contract.upsert.order} is later"
            if contract.upsert
            else "it takes the place of all that is there"
        )
        raise UsageError(what, fix=fix)


def check_corrects(session: Session, contract: Contract, path: Path) -> None:
    """Refuse a file that is to take a published drop's place, where none was published under its name: its rows would be added.

    Raises:
        UsageError: There is none; nothing was taken in.
    """
    if session.repository.get_json(MAIN, name_path_of(contract.name, path.name)) is None:
        what = f"no published drop of {contract.name} is named {path.name}"
        raise UsageError(
            what,
            where=str(path),
            fix="give the corrected file the name of the one that it corrects, or leave --supersede out",
        )


def other_name(contract: Contract) -> str:
    """What to do with a file whose name is taken: nothing is wrong with it, or with its contract."""
    correction = f"`lakegate ingest {contract.name} FILE --supersede`"
    return f"Deliver it under a name of its own where its rows are further ones, or by {correction} where it corrects that drop"


def name_holder(session: Session, contract: Contract, drop: Drop, *, base: str) -> str | None:
    """The other drop of an append dataset that was published under this one's name."""
    if contract.write_mode != "append":
        return None
    known = session.repository.get_json(base, name_path(contract, drop))
    return None if known is None or known["drop"] == drop.sha256 else str(known["drop"])


def name_path(contract: Contract, drop: Drop) -> str:
    """Where it is recorded which drop was published under a name."""
    return name_path_of(contract.name, drop.name)


def name_path_of(dataset: str, name: str) -> str:
    """The same, of a name."""
    return paths.delivered_name(dataset, hashlib.sha256(name.encode()).hexdigest()[:32])
