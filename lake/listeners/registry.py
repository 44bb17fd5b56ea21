"""The listeners that hear of every hop, and the delivery of events to them: after the hops, and retried."""

from __future__ import annotations

from typing import Final

import tenacity

from lake.hops.events import Busy, Listener, deliver, listen
from lake.runtime.step_timer import Watcher
from lake.session import Session, open_session
from lakegate.settings import Settings

TRIES: Final = 3
"""A listener may lose a race with other writers of its store; it stores no event twice."""


def everywhere(_: Settings) -> list[Listener]:
    """The listeners of commands and of Dagster's runs alike; a new one is named here, with its settings."""
    return []


def open_with_listeners(
    settings: Settings, *also: Listener, watcher: Watcher | None = None, ready: bool = True
) -> Session:
    """Open the lake with the listeners that hear of every hop, and with others."""
    session = open_session(settings, watcher=watcher, ready=ready)
    for listener in (*everywhere(settings), *also):
        listen(session, listener)
    return session


def tell_listeners(session: Session) -> dict[str, str]:
    """Deliver the spooled events to each listener of a session.

    Returns:
        The kind of the error by name of each listener that failed; its events stay in the spool.
    """
    failed = {}
    tries = tenacity.Retrying(
        retry=tenacity.retry_if_not_exception_type(Busy),
        wait=tenacity.wait_random(0.1, 0.5),
        stop=tenacity.stop_after_attempt(TRIES),
        reraise=True,
    )
    for listener in session.listeners:
        try:
            for attempt in tries:
                with attempt:
                    # Events of one drop stay together, unless one of them is at fault.
                    deliver(session, listener, split=attempt.retry_state.attempt_number == TRIES)
        except Exception as error:  # noqa: BLE001  (the hops are done, whatever a listener raises)
            failed[listener.name] = type(error).__name__
    return failed
