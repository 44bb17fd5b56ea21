"""A circuit breaker for each source: while transient failures go on, drops wait instead of failing in turn.

It opens after several such failures in a row, or when most of the last attempts failed so. Then one attempt
goes through at a time, after a cool-down that grows, until one succeeds (M. Nygard, Release It!, 2007, ch.
5). Its state is a file of the home: a cache, which may be deleted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock

from lakegate.atomic import write_atomically
from lakegate.errors import Transient
from lakegate.modes import private_folder
from lakegate.settings import Settings

IN_A_ROW: Final = 5
"""Transient failures in a row that open a breaker."""
RECENT: Final = 20
"""Attempts that the error budget looks at,"""
BUDGET: Final = 0.5
"""and the share of them that may fail."""
COOL_DOWN: Final = 30.0
"""Seconds before the first probe; doubled by each that fails."""
LONGEST: Final = 900.0
PROBE: Final = 300.0
"""Seconds after which a probe without outcome is given up."""


@dataclass(frozen=True)
class State:
    """A breaker's state: `recent` outcomes, a letter each (s, f), newest last; times in seconds of Unix."""

    recent: str = ""
    open_until: float = 0.0
    cool_down: float = COOL_DOWN
    probing_until: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether attempts have to wait, but for the one that probes."""
        return self.open_until > 0

    def failed(self, now: float, *, probe: bool = True) -> State:
        """After a transient failure of the attempt that probes, or of one that began while it was closed."""
        recent = (self.recent + "f")[-RECENT:]
        if self.is_open and not probe:
            return replace(self, recent=recent)
        if self.is_open:
            longer = min(2 * self.cool_down, LONGEST)
            return State(recent, now + longer, longer)
        spent = len(recent) == RECENT and recent.count("f") > BUDGET * RECENT
        opens = recent.endswith("f" * IN_A_ROW) or spent
        return State(recent, now + COOL_DOWN if opens else 0.0)

    def succeeded(self) -> State:
        """After an attempt that came to a verdict, whatever it is."""
        return State("" if self.is_open else (self.recent + "s")[-RECENT:])

    def probing(self, now: float) -> State:
        """After an attempt wanted to probe: it may, and the state changes, unless another one is probing."""
        return replace(self, probing_until=now + PROBE) if now >= self.probing_until else self


class Breaker:
    """The breaker of one source."""

    def __init__(self, settings: Settings, source: str, *, now: Callable[[], float] = time.time) -> None:
        self.source, self._path, self._now = source, folder(settings) / f"{source}.json", now

    @property
    def state(self) -> State:
        """As it is now."""
        try:
            return State(**json.loads(self._path.read_text()))
        except (OSError, ValueError, TypeError):
            return State()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Make an attempt, whose outcome counts where it is a verdict or a transient failure.

        Raises:
            Transient: The breaker is open, and this is not the attempt that probes.
        """
        probe = self._admit()
        try:
            yield
        except Transient:
            self._change(lambda state: state.failed(self._now(), probe=probe))
            raise
        except BaseException:
            if probe:  # the outcome says nothing about the source: another attempt may probe at once
                self._change(lambda state: replace(state, probing_until=0.0))
            raise
        if "f" in self.state.recent or self.state.is_open:  # else there is nothing to forget
            self._change(State.succeeded)

    def _admit(self) -> bool:
        """Let an attempt through, and say whether it is the one that probes."""
        now, state = self._now(), self.state
        if not state.is_open:
            return False
        if now < state.open_until or not self._change(lambda state: state.probing(now)):
            again = datetime.fromtimestamp(max(state.open_until, now), UTC).strftime("%H:%M:%S UTC")
            failures = len(state.recent) - len(state.recent.rstrip("f"))
            what = f"{self.source} waits: {failures} attempts in a row met a transient failure"
            fix = f"nothing to do: one attempt is made after {again}, and the others when it succeeds"
            raise Transient(what, fix=fix)
        return True

    def _change(self, change: Callable[[State], State]) -> bool:
        """Write the changed state, and say whether it is another one."""
        private_folder(self._path.parent)
        with FileLock(self._path.with_suffix(".lock")):
            before = self.state
            write_atomically(self._path, json.dumps(asdict(after := change(before))))
        return after != before


def folder(settings: Settings) -> Path:
    """The folder of a tenant's breakers."""
    return settings.home.root / "breakers" / settings.tenant


def open_breakers(settings: Settings) -> dict[str, State]:
    """The breakers that are open, by source."""
    sources = sorted(path.stem for path in folder(settings).glob("*.json"))
    found = {source: Breaker(settings, source).state for source in sources}
    return {source: state for source, state in found.items() if state.is_open}
