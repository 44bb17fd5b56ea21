"""The open lake as a Dagster resource: settings in, one session per process out."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lake.hops.job import HopResult
from lake.session import Session, open_session
from lakegate.errors import AccessError, LakegateError, Transient
from lakegate.settings import Settings

NAME = "lakegate"
"""The resource's key in the code location."""


class LakegateResource:
    """What assets and sensors of one process share; the lake is opened when first asked for.

    Args:
        settings: The one settings value of the process.
        session: A lake that is open already.
        hear: Called with the result of each hop, for whoever runs the assets in process.
        fail: Called with the error that ends a run.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        session: Session | None = None,
        hear: Callable[[HopResult], None] = lambda _: None,
        fail: Callable[[LakegateError], None] = lambda _: None,
    ) -> None:
        self.settings, self.hear, self._fail = settings, hear, fail
        self._given, self._session, self._opening = session, session, threading.Lock()
        self._endpoint = session.endpoint if session else None

    def fail(self, error: LakegateError) -> None:
        """Tell of the error that ends a run. What may be over by then, a server that died among it, is looked for anew."""
        if isinstance(error, Transient | AccessError):
            with self._opening:
                self._session = self._given
        self._fail(error)

    @property
    def session(self) -> Session:
        """The open lake, opened anew where lakeFS answers at another address by now: an engine keeps the one it started with.

        Raises:
            LakegateError: It can't be opened.
        """
        with self._opening:  # two sensors may be evaluated at once
            moved = self._session is not None and self._session is not self._given and self._session.endpoint != self._endpoint
            if self._session is None or moved:
                self._session = open_session(self.settings)
                self._endpoint = self._session.endpoint
            return self._session
