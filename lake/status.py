"""A table of the lake at one glance: versions, rows, and drops that were received and are not published."""

from __future__ import annotations

from collections import Counter
from typing import Any

from catalog.files import Catalog
from lake import publish
from lake.hold import held_drops
from lake.receive import pending
from lake.repository import MAIN
from lake.session import open_session
from lakegate.names import VersionName
from lakegate.settings import Settings


def table_states(settings: Settings, catalog: Catalog) -> list[dict[str, Any]]:
    """One row per processed and feature table: latest version's number, its rows, and drops that are pending, some of them held."""
    session = open_session(settings)
    states, held = [], Counter(item.contract.name for item in held_drops(session) if not item.approved)
    for contract in sorted(catalog.contracts.values(), key=lambda item: (item.kind != "dataset", item.name)):
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
