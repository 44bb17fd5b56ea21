"""Drops that wait for a reference or an earlier drop, and whether their turn has come."""

from __future__ import annotations

from catalog.contract import Contract
from lake import ledger
from lake.order import order_of, waits_for
from lake.receive import Drop, pending, received
from lake.session import Session


def turn_has_come(session: Session, contract: Contract, drop: Drop) -> bool:
    """Whether nothing holds a drop up, as far as the raw versions that stand can tell."""
    return waits_for(session, contract, drop, carry_raw=lambda _: None) is None


def waiting_drops(session: Session, contract: Contract) -> list[Drop]:
    """Drops of a dataset whose last word was that they wait, in the contract's order."""
    found = []
    for digest in pending(session, contract.name):
        newest = ledger.latest(session, dataset=contract.name, cause=digest, table=contract.name)
        if newest is not None and newest.state == "waiting":
            found.append(received(session, contract.name, digest))
    return in_order(session, contract, found)


def in_order(session: Session, contract: Contract, drops: list[Drop]) -> list[Drop]:
    """Drops as the contract orders them; those whose order isn't known come last, as they came."""
    if contract.order_by is None:
        return drops
    known = {drop.sha256: order_of(session, contract, drop.sha256) for drop in drops}
    return sorted(drops, key=lambda drop: _rank(known[drop.sha256]))


def _rank(value: int | str | None) -> tuple[bool, int, str]:
    return (value is None, value if isinstance(value, int) else 0, value if isinstance(value, str) else "")
