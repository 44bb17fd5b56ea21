"""The lake at one glance: each table's versions and rows, and each drop that was received and is not published."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lake import ledger, publish
from lake.hold import held_drops
from lake.receive import pending, received
from lake.repository import MAIN
from lake.session import Session
from lakegate.names import VersionName


def table_states(session: Session) -> list[dict[str, Any]]:
    """One row per processed and feature table: latest version's number, its rows, and drops that are pending, some of them held."""
    states, held = [], Counter(item.contract.name for item in held_drops(session) if not item.approved)
    for contract in sorted(session.catalog.contracts.values(), key=lambda item: (item.kind != "dataset", item.name)):
        head = publish.head(session.repository, contract.name)
        rows = 0
        if head is not None:
            rows = publish.manifest_at(session.repository, MAIN, VersionName(contract.name, int(head["version"]))).counts.after
        waiting = len(pending(session, contract.name)) if contract.kind == "dataset" else 0
        states.append(
            {
                "table": contract.name,
                "versions": int(head["version"]) if head else 0,
                "rows": rows,
                "pending": waiting,
                "held": held[contract.name],
            }
        )
    return states


def open_drops(session: Session) -> list[dict[str, Any]]:
    """Every drop that was received and is not published, and every feature version that is held: its state on record, and why."""
    drops = []
    for contract in session.catalog.contracts.values():
        for digest in pending(session, contract.name) if contract.kind == "dataset" else ():
            newest = ledger.latest(session, dataset=contract.name, cause=digest)
            reason = str(ledger.read(session, newest).get("reason", "")) if newest else ""
            name = received(session, contract.name, digest).name
            drops.append(_open(contract.name, digest, name, newest.state if newest else "received", reason))
    held = [item for item in held_drops(session) if item.contract.kind == "feature"]
    return drops + [_open(item.contract.name, item.cause, "", item.record.state, str(item.body.get("reason", ""))) for item in held]


def _open(table: str, drop: str, file: str, state: str, reason: str) -> dict[str, Any]:
    return {"table": table, "drop": drop, "file": file, "state": state, "reason": reason}
