"""The open lake as a Dagster resource: settings in, one session per process out."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lake.job import HopResult
from lake.session import Session, open_session
from lakegate.errors import LakegateError
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
        self.settings, self.hear, self.fail = settings, hear, fail
        self._session, self._opening = session, threading.Lock()

    @property
    def session(self) -> Session:
        """The open lake.

        Raises:
            LakegateError: It can't be opened.
        """
        with self._opening:  # two sensors may be evaluated at once
            if self._session is None:
                self._session = open_session(self.settings)
            return self._session
