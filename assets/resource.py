"""The open lake as a Dagster resource: settings in, one session per process out."""

from __future__ import annotations

import threading

from lake.listeners.registry import open_with_listeners
from lake.session import Session
from lakegate.errors import AccessError, LakegateError, Transient
from lakegate.settings import Settings

NAME = "lakegate"
"""The resource's key in the code location."""


class LakegateResource:
    """What assets and sensors of one process share; the lake is opened at its first use.

    Args:
        settings: The one settings value of the process.
        session: A lake that is open already.
    """

    def __init__(self, settings: Settings, *, session: Session | None = None) -> None:
        self.settings = settings
        self._given, self._session, self._opening = session, session, threading.Lock()
        self._endpoint = session.endpoint if session else None

    def fail(self, error: LakegateError) -> None:
        """Note the error that ends a run: after one of the server's or the keys', the lake is opened anew."""
        if isinstance(error, Transient | AccessError):
            with self._opening:
                self._session = self._given

    @property
    def opened(self) -> Session | None:
        """The open lake, where it is open."""
        return self._session

    @property
    def session(self) -> Session:
        """The open lake; opened anew where lakeFS moved to another address, as an engine keeps its first one.

        Raises:
            LakegateError: It can't be opened.
        """
        with self._opening:  # two sensors may be evaluated at once
            moved = (
                self._session is not None
                and self._session is not self._given
                and self._session.endpoint != self._endpoint
            )
            if self._session is None or moved:
                self._session = open_with_listeners(self.settings)
                self._endpoint = self._session.endpoint
            return self._session
