"""Hop events: the result of each hop, spooled in the home until every listener took it.

A hop is done before its event is written, so no listener can undo it, delay it or make it fail. A process
that dies before it delivered an event leaves it in the spool, and the next process with that listener
delivers it; so a listener may get an event twice. A process that dies between a publish and its event writes
none; the same command run again does, of an unchanged hop.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from expectations.verdict import Verdict
from lake import paths
from lake.hops.job import HopResult
from lake.runtime.leases import POLL
from lake.session import Session
from lakegate.atomic import write_atomically
from lakegate.errors import IntegrityError, Transient
from lakegate.home import to_stderr
from lakegate.modes import private_folder

PATIENCE: Final = 5.0
"""Seconds that one try waits for a delivery by another process, and spends at most in calls that fail."""
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
        """The event that `to_json` wrote.

        Raises:
            IntegrityError: A later release wrote it, in a format that this one doesn't know.
        """
        found = json.loads(body)
        if found["format"] != paths.FORMAT:
            what = f"event format {found['format']!r}, this release reads {paths.FORMAT}"
            raise IntegrityError(what, fix="install a release of lakegate that reads it")
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


class Busy(Transient):
    """Another process delivers events to the same listener."""


def deliver(session: Session, listener: Listener, *, split: bool = True) -> None:
    """Deliver the spooled events of a listener, those of earlier processes among them; one process at a time.

    Args:
        session: The open lake.
        listener: One of its listeners.
        split: Where the listener fails on several events, deliver each half of them by itself, so that an
            event that it can't take stops no other one. Such an event stays in the spool, and is reported.

    Raises:
        Busy: Another process delivers to this listener, and still did after `PATIENCE`.
        Exception: The last error of the listener.
    """
    folder = _folder(session, listener)
    if not any(folder.glob("*.json")):
        return
    with _alone(session, listener):
        files = sorted(folder.glob("*.json"))
        batches = [files[at : at + TOGETHER] for at in range(0, len(files), TOGETHER)]
        tried, failed = _hand_over(session, listener, batches, split=split)
    if not failed:
        return
    if tried:  # else the listener itself is at fault, and no event
        for file, cause in failed.items():
            kind = type(cause).__name__
            to_stderr(f"warning: {listener.name} fails on an event ({kind}); it stays in {file}")
    raise [*failed.values()][-1]


def _hand_over(
    session: Session, listener: Listener, batches: list[list[Path]], *, split: bool
) -> tuple[bool, dict[Path, Exception]]:
    """Have a listener hear batches of events.

    Returns:
        Whether it took some of them and was tried with all, and what it raised, by the first file of the
        smallest batch.
    """
    left, failed, taken, seconds = batches[::-1], dict[Path, Exception](), False, 0.0
    while left and seconds < PATIENCE:
        events = {file: event for file in left.pop() if (event := _read(file)) is not None}
        if not (batch := [*events]):
            continue
        start = time.monotonic()
        try:
            listener.hear(session, [*events.values()])
        except Exception as error:
            if not split:
                raise
            seconds += time.monotonic() - start
            failed[batch[0]] = error
            half = len(batch) // 2
            left += [batch[half:], batch[:half]] if half else []
        else:
            taken = True
            for file in batch:
                failed.pop(file, None)
                file.unlink(missing_ok=True)
    return taken and not left, failed


@contextlib.contextmanager
def _alone(session: Session, listener: Listener) -> Iterator[None]:
    """Deliver in this process alone; the wait for another one ends after `PATIENCE`."""
    until = time.monotonic() + PATIENCE
    while True:
        with session.try_lease(f"tell_{listener.name}") as free:
            if free:
                yield
                return
        if time.monotonic() > until:
            what = f"another process delivers events to {listener.name}"
            raise Busy(what, fix="nothing to do: the next command delivers those that are left")
        time.sleep(POLL)


def _read(file: Path) -> HopEvent | None:
    """A spooled event; a damaged one is renamed, and one of a later release waits for that release."""
    try:
        return HopEvent.from_json(file.read_bytes())
    except FileNotFoundError:  # it was renamed when it was read before
        return None
    except IntegrityError as error:
        to_stderr(f"warning: an event waits in {file}: {error.what}; {error.fix}")
        return None
    except (ValueError, KeyError, TypeError):
        unreadable = file.replace(file.with_suffix(".unreadable"))
        to_stderr(f"warning: a damaged event can't be read, so nobody gets it; it is stored as {unreadable}")
        return None


def _folder(session: Session, listener: Listener) -> Path:
    return session.settings.home.spool / session.settings.tenant / "events" / listener.name
