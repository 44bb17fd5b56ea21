"""Whether the turn of a drop that waits has come."""

from __future__ import annotations

from catalog.contract import Contract
from lake.ledger.receipts import Drop
from lake.pipeline.ordering import waits_for
from lake.session import Session


def turn_has_come(session: Session, contract: Contract, drop: Drop) -> bool:
    """Whether nothing holds a drop up, as far as the raw versions that stand can tell."""
    return waits_for(session, contract, drop, carry_raw=lambda _: None) is None
