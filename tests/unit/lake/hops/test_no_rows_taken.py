"""What a version that judged drops again says of those of which no row is taken."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from lake.hops.gate.no_rows_taken import NOTE, made_again
from lakegate.manifest import Manifest


def made(
    notes: list[dict[str, Any]], drops: dict[str, tuple[int, int]], decided: dict[str, int]
) -> list[dict[str, Any]]:
    """The note; `drops`: rows set aside, rows that are valid."""
    parent = cast("Manifest", SimpleNamespace(notes={NOTE: notes}))
    came = {drop: {"rows_quarantined": aside, "rows_valid": valid} for drop, (aside, valid) in drops.items()}
    found: list[dict[str, Any]] = made_again(parent, 7, came, decided)[NOTE]
    return found


def test_drop_some_of_whose_rows_were_discarded_is_not_told_again() -> None:
    assert made([], {"a": (4, 0)}, {"a": 1}) == []
    assert made([], {"a": (4, 0)}, {}) == [{"version": 7, "drop": "a", "rows": 4}]


def test_drop_that_is_told_still_is_told_with_the_rows_that_are_set_aside_now() -> None:
    notes = [
        {"version": 3, "drop": "a", "rows": 4},
        {"version": 4, "drop": "b", "rows": 2},
        {"version": 5, "drop": "c", "rows": 1},
    ]
    drops = {"a": (3, 0), "b": (1, 1)}
    assert made(notes, drops, {}) == [
        {"version": 3, "drop": "a", "rows": 3},
        {"version": 5, "drop": "c", "rows": 1},
    ]
