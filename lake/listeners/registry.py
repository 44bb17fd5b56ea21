"""The listeners that hear of every hop, and the telling: last of all, again where it failed, and never in the way."""

from __future__ import annotations

from typing import Final

import tenacity

from lake.hops.events import Listener, deliver, listen, listeners
from lake.runtime.step_timer import Watcher
from lake.session import Session, open_session
from lakegate.settings import Settings

TRIES: Final = 3
"""A listener may lose a race with others that write where it does; what it knows already it doesn't note again."""


def everywhere() -> list[Listener]:
    """Those that hear of the hops of commands and of Dagster's runs alike; a new one is named here."""
    return []


def open_with_listeners(
    settings: Settings, *also: Listener, watcher: Watcher | None = None, ready: bool = True
) -> Session:
    """Open the lake with the listeners that hear of every hop, and with others."""
    session = open_session(settings, watcher=watcher, ready=ready)
    for listener in (*everywhere(), *also):
        listen(session, listener)
    return session


def tell_listeners(session: Session) -> dict[str, str]:
    """Tell each listener of a session what waits for it.

    Returns:
        Kind of the error by name of each listener that could not be told; its events wait for the next telling.
    """
    untold = {}
    for listener in listeners(session):
        wait = tenacity.wait_random(0.1, 0.5)
        again = tenacity.Retrying(stop=tenacity.stop_after_attempt(TRIES), wait=wait, reraise=True)
        try:
            again(deliver, session, listener)
        except Exception as error:  # noqa: BLE001  (whatever a listener says, the hops are done)
            untold[listener.name] = type(error).__name__
    return untold
