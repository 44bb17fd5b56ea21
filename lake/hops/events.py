"""Hop events: the result of each hop, spooled in the home until every listener took it.

A hop is done before its event is written, so no listener can undo it, delay it or make it fail. A process
that dies before it delivered an event leaves it in the spool, and the next process with that listener
delivers it; so a listener may get an event twice. A process that dies between a publish and its event writes
none; the same command run again does, of an unchanged hop.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from expectations.verdict import Verdict
from lake import paths
from lake.hops.job import HopResult
from lake.session import Session, to_stderr
from lakegate.atomic import write_atomically
from lakegate.modes import private_folder

TOGETHER: Final = 512
"""Events that a listener gets in one call: so many are in memory, and are delivered again where it fails."""


@dataclass(frozen=True)
class HopEvent:
    """The result of one hop of one drop (or of a feature, or of a decision)."""

    dataset: str
    result: HopResult
    run: str
    """Id of the run that the hop belongs to."""
    at: str
    """When the hop ended."""

    @property
    def kind(self) -> str:
        """`published` of a hop that made a version, else its verdict."""
        verdict = self.result.verdict
        return "published" if verdict in (Verdict.PASSED, Verdict.QUARANTINED) else str(verdict)

    def to_json(self) -> bytes:
        """The event as it is spooled."""
        return json.dumps({"format": paths.FORMAT, **asdict(self)}, sort_keys=True).encode()

    @classmethod
    def from_json(cls, body: bytes) -> HopEvent:
        """The event that `to_json` wrote."""
        found = json.loads(body)
        result = HopResult(**{**found["result"], "verdict": Verdict(found["result"]["verdict"])})
        return cls(found["dataset"], result, found["run"], found["at"])


class Listener(Protocol):
    """A receiver of hop events: Dagster is the first (`assets.dagster_listener`)."""

    name: str
    """Names the folder of its events; it never changes."""

    def hear(self, session: Session, events: Sequence[HopEvent]) -> None:
        """Take these events, oldest first; some may come again. After an error they are delivered again."""


def listen(session: Session, listener: Listener) -> None:
    """Deliver the events of all hops of this session from now on to a listener."""
    session.listeners.append(listener)


def emit(session: Session, dataset: str, result: HopResult) -> HopResult:
    """Spool the event of a hop that is done for each listener; returns the result."""
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    body = HopEvent(dataset, result, session.run, at).to_json()
    for listener in session.listeners:
        folder = _folder(session, listener)
        try:
            private_folder(folder)
            write_atomically(folder / f"{at.replace(':', '')}-{uuid.uuid4().hex[:8]}.json", body)
        except OSError as error:
            what = f"the event of {result.table} can't be written ({error.strerror})"
            to_stderr(f"warning: {what}, so {listener.name} won't get it")
    return result


def deliver(session: Session, listener: Listener) -> None:
    """Deliver the spooled events of a listener, those of earlier processes among them; one process at a time.

    Raises:
        Exception: Whatever the listener raises; its events stay in the spool.
    """
    folder = _folder(session, listener)
    if not any(folder.glob("*.json")):
        return
    with session.lease(f"tell_{listener.name}"):
        while files := sorted(folder.glob("*.json"))[:TOGETHER]:
            listener.hear(session, [event for file in files if (event := _read(file)) is not None])
            for file in files:
                file.unlink(missing_ok=True)


def _read(file: Path) -> HopEvent | None:
    """A spooled event; one that can't be read is renamed, so that it stops no other."""
    try:
        return HopEvent.from_json(file.read_bytes())
    except (ValueError, KeyError, TypeError):
        unreadable = file.replace(file.with_suffix(".unreadable"))
        to_stderr(f"warning: an event can't be read, so nobody gets it; it is stored as {unreadable}")
        return None


def _folder(session: Session, listener: Listener) -> Path:
    return session.settings.home.spool / session.settings.tenant / "events" / listener.name
