"""Deliveries of which no row was taken: published, and reported until somebody decides on their rows.

Each version notes the earlier deliveries of which that is still true, so a report reads the latest version
alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from lakegate.counts import Counts
from lakegate.manifest import Manifest

NOTE: Final = "none_taken"
"""In the notes of a manifest: `version`, `drop` and `rows` of each such delivery, oldest first."""
MOST: Final = 20
"""Deliveries that are noted; the rows of all are in the quarantine."""


def is_none_taken(counts: Mapping[str, int]) -> bool:
    """Whether a drop had rows, and all are quarantined, outdated, or were part of the table before.

    Args:
        counts: Of the drop at its processed hop, as `lakegate.counts.Counts` names them.
    """
    taken = counts.get("valid", 0) - counts.get("outdated", 0)
    return counts.get("records_in", 0) > counts.get("unreadable", 0) and not taken


def with_delivery(
    parent: Manifest | None, version: int, drop: str, counts: Counts, *, instead_of: str | None = None
) -> dict[str, Any]:
    """The note of a version that a delivery made.

    Args:
        parent: The version before; None where the delivery replaces it.
        version: The new version's number.
        drop: The delivery.
        counts: What became of its rows.
        instead_of: The delivery that this one corrects.
    """
    noted = _undecided(parent, {instead_of})
    if counts.quarantined and not counts.valid:
        noted.append({"version": version, "drop": drop, "rows": counts.quarantined})
    return {NOTE: noted[-MOST:]}


def still_none(parent: Manifest | None, decided: Collection[str] = ()) -> dict[str, Any]:
    """The note of a version by which something becomes of the rows of some drops."""
    return {NOTE: _undecided(parent, decided)}


def _undecided(parent: Manifest | None, decided: Collection[str | None]) -> list[dict[str, Any]]:
    noted = parent.notes.get(NOTE, []) if parent else []
    return [item for item in noted if item["drop"] not in decided]


def made_again(
    parent: Manifest, version: int, drops: Mapping[str, Mapping[str, int]], decided: Mapping[str, int]
) -> dict[str, Any]:
    """The note of a version that judged drops again.

    Args:
        parent: The version before.
        version: Its number.
        drops: What became of each drop, as `lakegate ingest --json` names its rows.
        decided: How many of a drop's rows somebody had discarded, and are still quarantined.
    """
    none_taken = {
        drop: rows["rows_quarantined"]
        for drop, rows in drops.items()
        if rows["rows_quarantined"] and not rows["rows_valid"] and not decided.get(drop)
    }
    noted = _undecided(parent, drops.keys() - none_taken.keys())
    noted = [{**item, "rows": none_taken.get(item["drop"], item["rows"])} for item in noted]
    known = {item["drop"] for item in noted}
    added = [drop for drop in none_taken if drop not in known]
    noted += [{"version": version, "drop": drop, "rows": none_taken[drop]} for drop in added]
    return {NOTE: noted[-MOST:]}


def still_none_of(latest: Manifest, drop: str) -> bool:
    """Whether a table's latest version notes it of a drop."""
    return any(item["drop"] == drop for item in latest.notes.get(NOTE, []))
