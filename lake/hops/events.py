"""Hop events: what each hop came to, told at its end to whoever listens, and kept in the home until they have heard it.

A hop is done when its event is made, so no listener can undo it, hold it up or make it fail. A process that dies before it
told a listener leaves the events behind; the next one that has this listener tells them first. So a listener may hear of a hop
twice. One whose process died between its publish and its event is told when the same is asked for again: it is unchanged then.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol

from expectations.verdict import STOPPED, Verdict
from lake import paths
from lake.hops.job import HopResult
from lake.session import Session
from lakegate.atomic import write_atomically
from lakegate.home import to_stderr
from lakegate.modes import private_folder

TOGETHER: Final = 512
"""Events that a listener is handed at once: so many are in memory, and are told again where it fails."""
Kind = Literal["published", "unchanged", "blocked", "held", "waiting"]


@dataclass(frozen=True)
class HopEvent:
    """What one hop of one drop (or of a feature, or of a decision) came to."""

    dataset: str
    result: HopResult
    run: str
    """Id of the run that carried it."""
    at: str
    """When the hop ended."""

    @property
    def kind(self) -> Kind:
        """What became of it: with a new version, with the one that it had, or without any."""
        verdict = self.result.verdict
        if verdict in STOPPED or verdict in (Verdict.WAITING, Verdict.UNCHANGED):
            return verdict.value  # type: ignore[return-value]
        return "published"

    def to_json(self) -> bytes:
        """The event as it waits in the home."""
        told = {"format": paths.FORMAT, "dataset": self.dataset, "run": self.run, "at": self.at}
        return json.dumps({**told, "result": asdict(self.result)}, sort_keys=True).encode()

    @classmethod
    def from_json(cls, body: bytes) -> HopEvent:
        """The event that `to_json` wrote."""
        told = json.loads(body)
        result = HopResult(**{**told["result"], "verdict": Verdict(told["result"]["verdict"])})
        return cls(told["dataset"], result, told["run"], told["at"])


class Listener(Protocol):
    """Somebody who hears of hops: Dagster is the first (`assets.dagster_listener`)."""

    name: str
    """Names the folder in which its events wait; it never changes."""

    def hear(self, session: Session, events: Sequence[HopEvent]) -> None:
        """Take these events, oldest first, some perhaps not for the first time; whatever it raises, they are told again later."""


@dataclass
class Listeners:
    """The listeners of a session (a kind of `Session.cache`)."""

    heard_by: list[Listener] = field(default_factory=list)

    @classmethod
    def of(cls, _: Session) -> Listeners:
        """None yet."""
        return cls()

    def caching(self) -> contextlib.AbstractContextManager[None]:
        """Listeners stay as long as their session."""
        return contextlib.nullcontext()


def listen(session: Session, listener: Listener) -> None:
    """Have a listener hear of every hop of this session from now on."""
    session.cache(Listeners).heard_by.append(listener)


def emit(session: Session, dataset: str, result: HopResult) -> HopResult:
    """Put the event of a hop that is done where each listener will hear of it; gives the result back."""
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    event = HopEvent(dataset, result, session.run, at)
    for listener in session.cache(Listeners).heard_by:
        folder = _folder(session, listener)
        try:
            private_folder(folder)
            write_atomically(folder / f"{at.replace(':', '')}-{uuid.uuid4().hex[:8]}.json", event.to_json())
        except OSError as error:
            to_stderr(
                f"warning: {listener.name} won't be told of {result.table}: its events can't be written ({error.strerror})"
            )
    return result


def deliver(session: Session, listener: Listener) -> None:
    """Tell a listener of what waits for it, those of earlier processes among them, one process of a home at a time.

    Raises:
        Exception: Whatever the listener raises; its events wait for the next delivery.
    """
    folder = _folder(session, listener)
    if not any(folder.glob("*.json")):
        return
    with session.lease(f"tell_{listener.name}"):
        while files := sorted(folder.glob("*.json"))[:TOGETHER]:
            waiting = [event for file in files if (event := _read(file)) is not None]
            listener.hear(session, waiting)
            for file in files:
                file.unlink(missing_ok=True)


def _read(file: Path) -> HopEvent | None:
    """An event that waits; one that can't be read is put out of the way, and holds up no other."""
    try:
        return HopEvent.from_json(file.read_bytes())
    except (ValueError, KeyError, TypeError):
        file.replace(file.with_suffix(".unreadable"))
        to_stderr(
            f"warning: an event can't be read; nobody is told of it, and it is kept as {file.with_suffix('.unreadable')}"
        )
        return None


def _folder(session: Session, listener: Listener) -> Path:
    return session.settings.home.spool / session.settings.tenant / "events" / listener.name


def listeners(session: Session) -> Sequence[Listener]:
    """Those who hear of this session's hops."""
    return session.cache(Listeners).heard_by
