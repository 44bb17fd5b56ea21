"""What a verb says after its work: failures and left-out contracts to a person, hops to listeners."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

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
    """What stopped drops or tables: printed once where it is the same for several, with their files."""

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


def tell_broken(catalog: Catalog, project: Path) -> None:
    """Name the contracts that were left out for a mistake, and the suite files that belong to no table."""
    from expectations.building.suite_files import stray_suite_files

    for stem in catalog.broken:
        say(f"left out: {stem}, whose contract or SQL has a mistake; `lakegate status` tells it", err=True)
    unread = (*catalog.broken, *catalog.declared)
    for name, error in stray_suite_files(catalog.contracts.values(), project, unread=unread).items():
        say(f"left out: the rules of {name}: {error}", err=True)


def open_with_listeners(settings: Settings, *, watcher: Watcher | None = None, ready: bool = True) -> Session:
    """Open the lake with all listeners that a command has: those of every hop, and Dagster."""
    from assets.dagster_listener import DagsterListener
    from lake.listeners import registry

    return registry.open_with_listeners(settings, DagsterListener(), watcher=watcher, ready=ready)


def tell_listeners(session: Session) -> None:
    """Tell each listener of the hops that ran; the next command repeats what a listener missed."""
    from lake.listeners import registry

    later = "the next command that processes something notifies it"
    for name, kind in registry.tell_listeners(session).items():
        say(f"warning: {name.capitalize()} was not notified ({kind}); {later}", err=True)
