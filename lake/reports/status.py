"""The lake at one glance: each table's versions and rows, and each drop that was received and is neither published nor rejected."""

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
from lake.versions import publish
from lakegate.names import VersionName

Causes = Mapping[str, Mapping[str, records.Record | None]]
"""What may be decided on, by table and cause, each with its newest record where it has one."""


def causes_of(session: Session) -> Causes:
    """Those of all tables as of one commit: ask for them once, of the session that the rest is asked of."""
    return {
        contract.name: dict(open_causes(session, contract)) for contract in session.catalog.contracts.values()
    }


@reads_one_commit
def at_a_glance(session: Session) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What `lakegate status` tells of the lake: `table_states` and `open_drops`, of one commit."""
    causes = causes_of(session)
    return table_states(session, causes), open_drops(session, causes)


@reads_one_commit
def table_states(session: Session, causes: Causes | None = None) -> list[dict[str, Any]]:
    """One row per processed and feature table: latest version's number, its rows, and drops that are pending, some of them held.

    `open_quarantined` are rows set aside of which nothing has become yet; `none_taken` names the deliveries that are nothing else:
    `version`, `drop` and `rows` of each.
    """
    causes, states = causes if causes is not None else causes_of(session), []
    for contract in sorted(
        session.catalog.contracts.values(), key=lambda item: (item.kind != "dataset", item.name)
    ):
        head = publish.head(session.repository, contract.name)
        rows, aside, none = 0, 0, []
        if head is not None:
            manifest = publish.manifest_at(
                session.repository, MAIN, VersionName(contract.name, int(head["version"]))
            )
            rows, aside = (
                manifest.counts.after,
                manifest.aside.get("open", sum(item.rows for item in manifest.quarantine)),
            )
            none = manifest.notes.get(NOTE, [])
        opened = [newest.state if newest else "received" for newest in causes[contract.name].values()]
        states.append(
            {
                "table": contract.name,
                "versions": int(head["version"]) if head else 0,
                "rows": rows,
                "pending": len(opened) if contract.kind == "dataset" else 0,
                "held": opened.count("held"),
                "open_quarantined": aside,
                "none_taken": none,
            }
        )
    return states


@reads_one_commit
def open_drops(session: Session, causes: Causes | None = None) -> list[dict[str, Any]]:
    """Every drop that was received and is neither published nor rejected, and every feature version that is held: its state, and why.

    What is on record of an earlier hop, or of an earlier delivery, is no state of a drop that is still to be judged: it is received.
    """
    found = causes if causes is not None else causes_of(session)
    kinds = {contract.name: contract.kind for contract in session.catalog.contracts.values()}
    asked = [
        (table, digest, newest)
        for table, drops in found.items()
        for digest, newest in drops.items()
        if kinds[table] == "dataset" or (newest is not None and newest.state in HELD)
    ]
    marked = {
        table: refused_drops(session, table)
        for table, drops in found.items()
        if drops and kinds[table] == "dataset"
    }
    with ThreadPoolExecutor(READERS) as pool:
        told = list(pool.map(lambda item: _told(session, *item, refused=marked.get(item[0])), asked))
    return [item for item in told if item is not None]


def _told(
    session: Session,
    table: str,
    cause: str,
    newest: records.Record | None,
    *,
    refused: Mapping[str, Refused] | None,
) -> dict[str, Any] | None:
    """One of them; None of a drop whose marker isn't there. `refused` are those of a dataset, None for a feature."""
    body = records.read(session, newest) if newest else {}
    if refused is None:
        return _open(table, cause, "", newest.state if newest else "", str(body.get("reason", "")))
    if (
        newest is not None
        and newest.table == table
        and newest.state in STATES
        and not is_pending(session, table, cause)
    ):
        return None
    state, reason = _standing(session, table, newest, body) if newest else ("received", "")
    file = str(body.get("file", ""))
    if cause not in refused or refused[cause].name != name_hash(file):
        file = received(session, table, cause).name
    return _open(table, cause, file, state, reason)


def _standing(
    session: Session, table: str, newest: records.Record, body: Mapping[str, Any]
) -> tuple[str, str]:
    """The state of a drop that is not published, and why, by the newest record of it."""
    if newest.state not in STATES:
        return newest.state, str(body.get("reason") or body.get("message") or "")
    if session.repository.get(MAIN, paths.publication(newest.dataset, newest.cause, newest.table)) is None:
        return (
            "received",
            "",
        )  # published since the commit that this is a report of: the ledger, which goes on, knows it
    if newest.table == table:
        return "received", f"delivered anew since it was {newest.state}"
    told = f"{newest.table}@v{body.get('version')} is published, {table} has not judged it yet"
    return "received", f"{told}; if nobody is at work on it, the next `lakegate ingest {table}` carries it on"


def _open(table: str, drop: str, file: str, state: str, reason: str) -> dict[str, Any]:
    return {"table": table, "drop": drop, "file": file, "state": state, "reason": reason}
