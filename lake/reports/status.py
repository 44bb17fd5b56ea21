"""The lake at one glance: each table's versions and rows, and each drop that is not published or rejected."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lake import paths
from lake.decisions.approvals import HELD, open_causes
from lake.hops.gate.no_rows_taken import NOTE
from lake.hops.open_drops import READERS
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.receipts import is_pending, received
from lake.ledger.refused_drops import Refused, name_hash, refused_drops
from lake.ledger.repair import STATES
from lake.reports.one_commit import reads_one_commit
from lake.session import Session
from lake.tables.quarantine import latest_manifest

Causes = Mapping[str, Mapping[str, records.Record | None]]
"""What may be decided on, by table and cause, each with its newest record where it has one."""


def causes_of(session: Session) -> Causes:
    """Those of all tables; read them once, of the session that the rest is read of."""
    return {
        contract.name: dict(open_causes(session, contract)) for contract in session.catalog.contracts.values()
    }


@reads_one_commit
def at_a_glance(session: Session) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What `lakegate status` shows of the lake: `table_states` and `open_drops`, of one commit."""
    causes = causes_of(session)
    return table_states(session, causes), open_drops(session, causes)


@reads_one_commit
def table_states(session: Session, causes: Causes | None = None) -> list[dict[str, Any]]:
    """One row per processed and feature table: its latest version, that one's rows, and its pending drops.

    `open_quarantined` are quarantined rows that are not resolved; `none_taken` names the deliveries of which
    no row was taken: `version`, `drop` and `rows` of each.
    """
    causes, states = causes if causes is not None else causes_of(session), []
    contracts = session.catalog.contracts.values()
    for contract in sorted(contracts, key=lambda item: (item.kind != "dataset", item.name)):
        manifest, unresolved = latest_manifest(session, contract.name), 0
        if manifest is not None:
            quarantined = sum(item.rows for item in manifest.quarantine)
            unresolved = manifest.balance.get("open", quarantined)
        opened = [newest.state if newest else "received" for newest in causes[contract.name].values()]
        states.append(
            {
                "table": contract.name,
                "versions": manifest.version if manifest else 0,
                "rows": manifest.counts.after if manifest else 0,
                "pending": len(opened) if contract.kind == "dataset" else 0,
                "held": opened.count("held"),
                "open_quarantined": unresolved,
                "none_taken": manifest.notes.get(NOTE, []) if manifest else [],
            }
        )
    return states


@reads_one_commit
def open_drops(session: Session, causes: Causes | None = None) -> list[dict[str, Any]]:
    """Every drop that is neither published nor rejected, and every held feature version: its state, and why.

    A drop that is still to be judged is received, whatever is on record of an earlier hop or an earlier
    delivery.
    """
    causes = causes if causes is not None else causes_of(session)
    datasets = {contract.name for contract in session.catalog.datasets}
    refused = {table: refused_drops(session, table) for table in datasets if causes.get(table)}
    listed = [
        (table, cause, newest)
        for table, drops in causes.items()
        for cause, newest in drops.items()
        if table in datasets or (newest is not None and newest.state in HELD)
    ]
    with ThreadPoolExecutor(READERS) as pool:
        rows = list(pool.map(lambda item: _row(session, *item, refused=refused.get(item[0])), listed))
    return [row for row in rows if row is not None]


def _row(
    session: Session,
    table: str,
    cause: str,
    newest: records.Record | None,
    *,
    refused: Mapping[str, Refused] | None,
) -> dict[str, Any] | None:
    """One of them; None where it is no longer pending. `refused` are a dataset's, None for a feature."""
    body = records.read(session, newest) if newest else {}
    file, state, reason = "", newest.state if newest else "received", str(body.get("reason", ""))
    if refused is not None:
        if newest is not None:
            published_here = newest.table == table and newest.state in STATES
            if published_here and not is_pending(session, table, cause):
                return None
            state, reason = _state_of(session, table, newest, body)
        file = str(body.get("file", ""))
        if cause not in refused or refused[cause].name != name_hash(file):
            file = received(session, table, cause).name
    return {"table": table, "drop": cause, "file": file, "state": state, "reason": reason}


def _state_of(
    session: Session, table: str, newest: records.Record, body: Mapping[str, Any]
) -> tuple[str, str]:
    """The state of a drop that is not published, and why, by its newest record."""
    if newest.state not in STATES:
        return newest.state, str(body.get("reason") or body.get("message") or "")
    if session.repository.get(MAIN, paths.publication(newest.dataset, newest.cause, newest.table)) is None:
        return "received", ""  # published after the report's commit; the ledger is read as it is now
    if newest.table == table:
        return "received", f"delivered anew since it was {newest.state}"
    judged = f"{newest.table}@v{body.get('version')} is published, {table} has not judged it yet"
    return (
        "received",
        f"{judged}; if nobody is at work on it, the next `lakegate ingest {table}` carries it on",
    )
