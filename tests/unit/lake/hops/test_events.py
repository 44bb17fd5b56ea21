"""Hop events: a listener hears of every hop, in order, whatever died before it was told;
and holds up nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.verdict import Verdict
from lake.hops.events import HopEvent, deliver, emit, listen
from lake.hops.job import HopResult
from lake.session import Session
from lakegate.settings import Settings


@dataclass
class Remembers:
    """A listener that writes down what it heard, and fails as often as it is told to."""

    name: str = "remembers"
    heard: list[str] = field(default_factory=list)
    fails: int = 0

    def hear(self, _: Session, events: Sequence[HopEvent]) -> None:
        if self.fails:
            self.fails -= 1
            raise LookupError("away")
        self.heard += [f"{event.kind} {event.result.cause}" for event in events]


def opened(home: Path, *listeners: Remembers) -> Session:
    """A session of a home, as a process has one; no lakeFS is asked."""
    settings = Settings.load(home=home, project=home)
    settings.home.prepare()
    session = Session(settings, cast("Any", None), cast("Any", None))
    for listener in listeners:
        listen(session, listener)
    return session


def result(cause: str, verdict: Verdict = Verdict.PASSED, version: str | None = "rides@v1") -> HopResult:
    return HopResult(
        "processed", "rides", verdict, version, {"valid": 1}, [{"rule": "a", "failed": 0}], cause=cause
    )


def test_listener_hears_of_each_hop_once_in_order_with_what_became_of_it(tmp_path: Path) -> None:
    listener = Remembers()
    session = opened(tmp_path, listener)
    for cause, verdict in (
        ("a", Verdict.PASSED),
        ("b", Verdict.BLOCKED),
        ("c", Verdict.HELD),
        ("d", Verdict.WAITING),
    ):
        emit(session, "rides", result(cause, verdict))
    assert listener.heard == [], "told at the end, not in the hop's way"
    deliver(session, listener)
    deliver(session, listener)
    assert listener.heard == ["published a", "blocked b", "held c", "waiting d"]


def test_listener_that_fails_is_told_again_and_one_that_hears_is_not(tmp_path: Path) -> None:
    deaf, good = Remembers("deaf", fails=1), Remembers("good")
    session = opened(tmp_path, deaf, good)
    emit(session, "rides", result("a"))
    deliver(session, good)
    with pytest.raises(LookupError):
        deliver(session, deaf)
    emit(session, "rides", result("b", Verdict.UNCHANGED))
    for listener in (deaf, good):
        deliver(session, listener)
    assert deaf.heard == good.heard == ["published a", "unchanged b"]


def test_events_of_a_process_that_died_are_told_by_the_next(tmp_path: Path) -> None:
    emit(opened(tmp_path, Remembers()), "rides", result("a"))
    later = Remembers()
    session = opened(tmp_path, later)
    emit(session, "rides", result("b"))
    deliver(session, later)
    assert later.heard == ["published a", "published b"]


def test_event_that_cannot_be_read_holds_up_no_other_and_is_kept(tmp_path: Path) -> None:
    listener = Remembers()
    session = opened(tmp_path, listener)
    emit(session, "rides", result("a"))
    (folder,) = (session.settings.home.spool / "default" / "events").iterdir()
    (folder / "0-torn.json").write_bytes(b'{"dataset": ')
    deliver(session, listener)
    assert listener.heard == ["published a"]
    assert [file.name for file in folder.iterdir()] == ["0-torn.unreadable"]


def test_events_without_a_listener_are_not_kept(tmp_path: Path) -> None:
    session = opened(tmp_path)
    assert emit(session, "rides", result("a")) == result("a")
    assert not any(session.settings.home.spool.rglob("*.json"))


@given(st.text(), st.sampled_from(Verdict), st.dictionaries(st.text(), st.integers()), st.booleans())
def test_event_is_read_as_it_was_written(
    reason: str, verdict: Verdict, counts: dict[str, int], none: bool
) -> None:
    told = HopResult(
        "raw",
        "rides_raw",
        verdict,
        None,
        counts,
        [{"rule": reason}],
        reason,
        "hash",
        "cause",
        {"version": 1},
        none,
    )
    event = HopEvent("rides", told, "run", "2026-01-01T00:00:00+00:00")
    assert HopEvent.from_json(event.to_json()) == event
