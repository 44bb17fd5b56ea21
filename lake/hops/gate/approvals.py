"""Approvals: which rules of severity `hold` a person let pass for one drop."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from expectations.verdict import Outcome
from lake.ledger import records
from lake.session import Session

APPROVED: Final = "approved"
"""State of the record by which a person lets a held drop pass."""
REJECTED: Final = "rejected"
"""State of the record by which a person rejects a drop that was held, refused or failed."""


def approval(session: Session, *, dataset: str, table: str, cause: str, suite_hash: str) -> dict[str, Any]:
    """What a person approved of a drop since it was last published or rejected, under this very suite.

    Returns:
        `rules`, `by`, `at` and `reason`; empty where nothing was approved.
    """
    approved: list[dict[str, Any]] = []
    for record in records.find(session, dataset=dataset, cause=cause):
        if record.table != table:
            continue
        if record.state in ("published", REJECTED):
            approved = []
        elif record.state == APPROVED:
            approved.append(records.read(session, record))
    approved = [body for body in approved if body.get("suite_hash") == suite_hash]
    if not approved:
        return {}
    rules = sorted({rule for body in approved for rule in body["rules"]})
    return {"rules": rules} | {name: approved[-1][name] for name in ("by", "at", "reason")}


def unapproved_holds(outcomes: Collection[Outcome], waived: Collection[str]) -> list[Outcome]:
    """The failed outcomes of rules of severity `hold` that are not `waived`: a person has to decide."""
    held = [item for item in outcomes if item.rule.severity == "hold" and not item.success]
    return [item for item in held if item.rule.id not in waived]
