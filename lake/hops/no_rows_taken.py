"""Deliveries of which no row was taken: published, and told until something becomes of their rows.

Each version says of which earlier ones that still holds, so that whoever asks how the lake is reads the latest alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from lakegate.counts import Counts
from lakegate.manifest import Manifest

NOTE: Final = "none_taken"
"""In the notes of a manifest: `version`, `drop` and `rows` of each such delivery whose rows nobody decided on, oldest first."""
MOST: Final = 20
"""Deliveries that are remembered; the rows of all are in the quarantine."""


def is_none_taken(counts: Mapping[str, int]) -> bool:
    """Whether a drop had rows and none of them became part of the table: all set aside, outdated, or that already.

    Args:
        counts: Of the drop at its processed hop, as `lakegate.counts.Counts` names them.
    """
    taken = counts.get("valid", 0) - counts.get("outdated", 0)
    return counts.get("records_in", 0) > counts.get("unreadable", 0) and not taken


def with_delivery(
    parent: Manifest | None, version: int, drop: str, counts: Counts, *, instead_of: str | None = None
) -> dict[str, Any]:
    """The note of a version that a delivery made, `instead_of` another where it corrects that one."""
    before = still_none(parent, {instead_of} if instead_of else ())[NOTE]
    added = (
        [{"version": version, "drop": drop, "rows": counts.quarantined}]
        if counts.quarantined and not counts.valid
        else []
    )
    return {NOTE: [*before, *added][-MOST:]}


def still_none(parent: Manifest | None, decided: Collection[str] = ()) -> dict[str, Any]:
    """The note of a version by which something becomes of the rows of some drops."""
    return {
        NOTE: [item for item in (parent.notes.get(NOTE, []) if parent else []) if item["drop"] not in decided]
    }


def made_again(
    parent: Manifest, version: int, drops: Mapping[str, Mapping[str, int]], decided: Mapping[str, int]
) -> dict[str, Any]:
    """The note of a version that judged drops again.

    Args:
        parent: The version before.
        version: Its number.
        drops: What came of each drop, as `lakegate ingest --json` names its rows.
        decided: How many of a drop's rows somebody had discarded, and still are set aside.
    """
    none = {
        drop: rows["rows_quarantined"]
        for drop, rows in drops.items()
        if rows["rows_quarantined"] and not rows["rows_valid"]
    }
    open_ones = {drop: rows for drop, rows in none.items() if not decided.get(drop)}
    before = [
        item for item in parent.notes.get(NOTE, []) if item["drop"] not in drops or item["drop"] in open_ones
    ]
    kept = [{**item, "rows": open_ones.get(item["drop"], item["rows"])} for item in before]
    known = {item["drop"] for item in kept}
    added = [
        {"version": version, "drop": drop, "rows": rows}
        for drop, rows in open_ones.items()
        if drop not in known
    ]
    return {NOTE: [*kept, *added][-MOST:]}


def still_none_of(latest: Manifest, drop: str) -> bool:
    """Whether a table's latest version says it of a drop."""
    return any(item["drop"] == drop for item in latest.notes.get(NOTE, []))
