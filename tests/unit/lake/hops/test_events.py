"""Hop events: a listener hears of every hop, in order, whatever died before; and holds up nobody."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.verdict import Verdict
from lake.hops import events as module
from lake.hops.events import HopEvent, deliver, emit, listen
from lake.hops.job import HopResult
from lake.listeners.registry import TRIES, tell_listeners
from lake.session import Session
from lakegate.errors import Transient
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
    found = Settings.load(home=home, project=home)
    found.home.prepare()
    session = Session(found, cast("Any", None), cast("Any", None))
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


def test_event_of_a_later_format_waits_for_the_release_that_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listener = Remembers()
    session = opened(tmp_path, listener)
    emit(session, "rides", result("a"))
    (file,) = (session.settings.home.spool / "default" / "events" / "remembers").iterdir()
    later = json.loads(file.read_bytes()) | {"format": 2}
    file.write_text(json.dumps(later))
    emit(session, "rides", result("b"))
    deliver(session, listener)
    assert listener.heard == ["published b"]
    said = capsys.readouterr().err
    assert "event format 2, this release reads 1" in said
    assert "install" in said
    file.write_text(json.dumps(later | {"format": 1}))
    deliver(session, listener)
    assert listener.heard == ["published b", "published a"]


def test_events_come_together_again_before_one_of_them_is_taken_for_the_fault(tmp_path: Path) -> None:
    """A listener that loses a race with other writers gets raw and processed of a drop in one call."""
    listener = Remembers(fails=TRIES - 1)
    session = opened(tmp_path, listener)
    for cause in "abc":
        emit(session, "rides", result(cause))
    assert tell_listeners(session) == {}
    assert (listener.heard, listener.fails) == ([f"published {cause}" for cause in "abc"], 0)


@given(bad=st.sets(st.integers(0, 24)), together=st.integers(1, 9))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_event_that_a_listener_cannot_take_stops_no_other_and_is_delivered_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bad: set[int], together: int
) -> None:
    class Picky(Remembers):
        def hear(self, session: Session, events: Sequence[HopEvent]) -> None:
            if unwanted & {event.result.cause for event in events}:
                raise LookupError("not this one")
            super().hear(session, events)

    monkeypatch.setattr(module, "TOGETHER", together)
    unwanted, listener = {f"{number:02}" for number in bad}, Picky()
    with TemporaryDirectory() as folder:
        session = opened(Path(folder), listener)
        causes = [f"{number:02}" for number in range(25)]
        for cause in causes:
            emit(session, "rides", result(cause))
        capsys.readouterr()
        for _ in range(2):
            if bad:
                with pytest.raises(LookupError):
                    deliver(session, listener)
            else:
                deliver(session, listener)
            assert listener.heard == [f"published {cause}" for cause in causes if cause not in unwanted]
        named = [line for line in capsys.readouterr().err.splitlines() if "fails on an event" in line]
        assert len(named) == (len(bad) if len(bad) < len(causes) else 0)
        unwanted.clear()
        deliver(session, listener)
        assert sorted(listener.heard) == [f"published {cause}" for cause in causes]


def test_listener_that_fails_slowly_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Remembers(fails=99)
    session = opened(tmp_path, listener)
    for cause in "abcdefgh":
        emit(session, "rides", result(cause))
    monkeypatch.setattr(module, "PATIENCE", 1e-9)
    with pytest.raises(LookupError):
        deliver(session, listener)
    assert listener.fails == 98, "one call took longer than the patience"
    listener.fails = 0
    monkeypatch.undo()
    deliver(session, listener)
    assert listener.heard == [f"published {cause}" for cause in "abcdefgh"]


def test_delivery_waits_for_another_one_and_not_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Remembers()
    session, other = opened(tmp_path, listener), opened(tmp_path)
    emit(session, "rides", result("a"))
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    start = time.monotonic()
    with other.lease("tell_remembers"), pytest.raises(Transient, match="another process"):
        deliver(session, listener)
    assert time.monotonic() - start < 5
    assert listener.heard == []
    deliver(session, listener)
    assert listener.heard == ["published a"]


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
