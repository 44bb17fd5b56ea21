"""Telling listeners what a verb carried: last of all, and never in the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import tenacity

from cli.terminal import complain, say

if TYPE_CHECKING:
    from catalog.files import Catalog
    from lake.runtime.step_timer import Watcher
    from lake.session import Session
    from lakegate.errors import LakegateError
    from lakegate.settings import Settings


NAMED: Final = 20
"""Most files that one message lists."""


class Failures:
    """What stopped drops or tables on their way: told once where it is the same for several, with their files."""

    def __init__(self) -> None:
        self.errors: list[LakegateError] = []
        self._files: dict[tuple[str, str], tuple[LakegateError, list[str]]] = {}

    def __call__(self, name: str, error: LakegateError) -> None:
        """Note what stopped a dataset or one of its drops (an `OnError`)."""
        self.errors.append(error)
        _, files = self._files.setdefault((name, str(error)), (error, []))
        if error.file and error.file not in files:
            files.append(error.file)

    def tell(self) -> None:
        """Print each once."""
        for (name, _), (error, files) in self._files.items():
            more = f" and {len(files) - NAMED} more files" if len(files) > NAMED else ""
            complain(error, about=f"{name}: {', '.join(files[:NAMED])}{more}" if files else name)


TRIES: Final = 3
"""A listener may lose a race with others that write where it does; what it knows already it doesn't note again."""


def tell_broken(catalog: Catalog, project: Path) -> None:
    """Name the contracts that nothing was carried for, and the suites that are no table's, whose rules nobody asked."""
    from expectations.building.suite_files import stray_suite_files

    for stem in catalog.broken:
        say(f"left out: {stem}, whose contract or SQL has a mistake; `lakegate status` tells it", err=True)
    for name, error in stray_suite_files(catalog.contracts.values(), project, unread=(*catalog.broken, *catalog.declared)).items():
        say(f"left out: the rules of {name}: {error}", err=True)


def open_told(settings: Settings, *, watcher: Watcher | None = None, ready: bool = True) -> Session:
    """Open the lake with all listeners of hops that a command has: Dagster."""
    from assets.dagster_listener import DagsterListener
    from lake.hops.events import listen
    from lake.session import open_session

    session = open_session(settings, watcher=watcher, ready=ready)
    listen(session, DagsterListener())
    return session


def tell_listeners(session: Session) -> None:
    """Tell each listener of what was carried; the lake has what matters, and the next command tells what is missing."""
    from lake.hops.events import deliver, listeners

    for listener in listeners(session):
        again = tenacity.Retrying(stop=tenacity.stop_after_attempt(TRIES), wait=tenacity.wait_random(0.1, 0.5), reraise=True)
        try:
            again(deliver, session, listener)
        except Exception as error:  # noqa: BLE001  (whatever a listener says, the drops are published)
            name, kind = listener.name.capitalize(), type(error).__name__
            say(f"warning: {name} was not told ({kind}); the next command that carries something tells it", err=True)
