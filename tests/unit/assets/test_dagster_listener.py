"""What Dagster is told of events: one result for each time that a drop was carried,
with the newest answer of each hop.
"""

from __future__ import annotations

from assets.dagster_listener import _by_drop
from expectations.verdict import Verdict
from lake.hops.events import HopEvent
from lake.hops.job import HopResult


def event(table: str, cause: str, verdict: Verdict, number: int | None) -> HopEvent:
    version = f"{table}@v{number}" if number else None
    return HopEvent(
        "rides", HopResult("processed", table, verdict, version, {}, [], cause=cause), "run", "now"
    )


def told(*events: HopEvent) -> list[tuple[str, list[str]]]:
    return [
        (found.drop, [hop.version or str(hop.verdict) for hop in found.hops]) for found in _by_drop(events)
    ]


def test_hops_of_a_drop_are_one_result() -> None:
    raw, processed = event("rides_raw", "x", Verdict.PASSED, 1), event("rides", "x", Verdict.PASSED, 1)
    assert told(raw, event("rides_raw", "y", Verdict.PASSED, 2), processed) == [
        ("x", ["rides_raw@v1", "rides@v1"]),
        ("y", ["rides_raw@v2"]),
    ]


def test_newest_answer_is_told_of_a_drop_that_was_held_and_then_let_pass() -> None:
    assert told(event("rides", "x", Verdict.HELD, None), event("rides", "x", Verdict.UNCHANGED, 7)) == [
        ("x", ["rides@v7"])
    ]


def test_drop_that_was_published_withdrawn_and_published_again_is_told_of_twice_in_order() -> None:
    found = told(
        event("rides", "x", Verdict.PASSED, 2),
        event("rides", "back", Verdict.PASSED, 3),
        event("rides", "x", Verdict.PASSED, 4),
    )
    assert found == [("x", ["rides@v2"]), ("back", ["rides@v3"]), ("x", ["rides@v4"])]
