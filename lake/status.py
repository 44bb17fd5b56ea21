"""The lake at one glance: each table's versions and rows, and each drop that was received and is neither published nor rejected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lake import ledger, publish
from lake.hold import held_drops, open_causes
from lake.receive import received
from lake.repository import MAIN
from lake.restate import STATES
from lake.session import Session
from lakegate.names import VersionName


def table_states(session: Session) -> list[dict[str, Any]]:
    """One row per processed and feature table: latest version's number, its rows, and drops that are pending, some of them held.

    `open_quarantined` are rows set aside of which nothing has become yet.
    """
    states = []
    for contract in sorted(session.catalog.contracts.values(), key=lambda item: (item.kind != "dataset", item.name)):
        head = publish.head(session.repository, contract.name)
        rows = aside = 0
        if head is not None:
            manifest = publish.manifest_at(session.repository, MAIN, VersionName(contract.name, int(head["version"])))
            rows, aside = manifest.counts.after, manifest.aside.get("open", sum(item.rows for item in manifest.quarantine))
        opened = [newest.state if newest else "received" for _, newest in open_causes(session, contract)]
        states.append(
            {
                "table": contract.name,
                "versions": int(head["version"]) if head else 0,
                "rows": rows,
                "pending": len(opened) if contract.kind == "dataset" else 0,
                "held": opened.count("held"),
                "open_quarantined": aside,
            }
        )
    return states


def open_drops(session: Session) -> list[dict[str, Any]]:
    """Every drop that was received and is neither published nor rejected, and every feature version that is held: its state, and why.

    What is on record of an earlier hop, or of an earlier delivery, is no state of a drop that is still to be judged: it is received.
    """
    drops = []
    for contract in session.catalog.contracts.values():
        for digest, newest in open_causes(session, contract) if contract.kind == "dataset" else ():
            state, reason = _standing(contract.name, newest, ledger.read(session, newest)) if newest else ("received", "")
            drops.append(_open(contract.name, digest, received(session, contract.name, digest).name, state, reason))
    held = [item for item in held_drops(session) if item.contract.kind == "feature"]
    return drops + [_open(item.contract.name, item.cause, "", item.record.state, str(item.body.get("reason", ""))) for item in held]


def _standing(table: str, newest: ledger.Record, body: Mapping[str, Any]) -> tuple[str, str]:
    """The state of a drop that is not published, and why, by the newest record of it."""
    if newest.state not in STATES:
        return newest.state, str(body.get("reason") or body.get("message") or "")
    if newest.table == table:
        return "received", f"delivered anew since it was {newest.state}"
    told = f"{newest.table}@v{body.get('version')} is published, {table} has not judged it yet"
    return "received", f"{told}; if nobody is at work on it, the next `lakegate ingest {table}` carries it on"


def _open(table: str, drop: str, file: str, state: str, reason: str) -> dict[str, Any]:
    return {"table": table, "drop": drop, "file": file, "state": state, "reason": reason}
