"""Calls to lakeFS: retried where another try may help, and its errors turned into ours."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, TypeVar

import tenacity

from lake.lakefs.errors import answered, unanswered
from lakegate.errors import Transient
from lakegate.files.gateway import file_system
from lakegate.home import Endpoint

T = TypeVar("T")

TRIES: Final = 5
CONNECT_SECONDS: Final = 5
CALL_SECONDS: Final = 60
"""Seconds after which a call without a response is a transient failure."""
RESERVE: Final = 20
"""Tries beyond the first that a process may make in a row while nothing succeeds."""
EARNED_BY: Final = 5
"""Calls that succeed and earn one more such try."""


class Budget:
    """How many tries beyond the first a process may make in an outage; calls that succeed earn them back."""

    def __init__(self) -> None:
        self._left, self._lock = RESERVE * EARNED_BY, threading.Lock()

    def take(self) -> bool:
        """Whether another try may be made, which is then counted."""
        with self._lock:
            if self._left < EARNED_BY:
                return False
            self._left -= EARNED_BY
            return True

    def earn(self) -> None:
        """Count a call that succeeded."""
        with self._lock:
            self._left = min(RESERVE * EARNED_BY, self._left + 1)


class Calls:
    """The clients of one lakeFS: of its API, and of its S3 gateway.

    Args:
        endpoint: URL and keys of lakeFS.
        reconnect: Called before another try when lakeFS did not respond; starts the embedded server again if
            it died, and returns its endpoint now.
        proved: Called for each new connection before a byte goes over it: whether lakeFS listens there. Each
            call sends the secret itself.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        reconnect: Callable[[], Endpoint | None] = lambda: None,
        proved: Callable[[], bool] = lambda: True,
    ) -> None:
        self.endpoint, self._reconnect, self._proved, self._budget = endpoint, reconnect, proved, Budget()

    @cached_property
    def _api(self) -> Any:
        from lake.lakefs.sdk import Client

        client: Any = Client  # the SDK has no types
        keys = {"username": self.endpoint.key_id, "password": self.endpoint.secret}
        sdk = client(host=self.endpoint.url, **keys).sdk_client
        rest = sdk._api.rest_client  # noqa: SLF001  (it has no public setting for what follows)
        _bound(rest)
        _prove_connections(rest.pool_manager, self._proved)
        return sdk

    @cached_property
    def _s3(self) -> Any:
        return file_system(self.endpoint, connect=CONNECT_SECONDS, request=CALL_SECONDS)

    def _call(self, call: Callable[[], T], *, doing: str, retry: bool = True) -> T:
        """Run one call; transient failures are retried with jitter, others become our errors."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Transient),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
            stop=lambda state: not retry or state.attempt_number >= TRIES or not self._budget.take(),
            before_sleep=self._before_another_try,
            reraise=True,
        )
        found: T = retrying(self._once, call, doing)
        self._budget.earn()
        return found

    def _before_another_try(self, _: tenacity.RetryCallState) -> None:
        if (found := self._reconnect()) is not None and found != self.endpoint:
            self.endpoint = found
            for client in ("_api", "_s3"):  # they are made again for the new endpoint when next used
                self.__dict__.pop(client, None)

    def calling(self, call: Callable[[Endpoint], T], *, doing: str, retry: bool = True) -> T:
        """Run one call of another client, given lakeFS's endpoint, with the same retries and errors."""
        return self._call(lambda: call(self.endpoint), doing=doing, retry=retry)

    def _once(self, call: Callable[[], T], doing: str) -> T:
        from urllib3.exceptions import HTTPError

        from lake.lakefs.sdk import ApiException

        try:
            return call()
        except ApiException as error:
            raise answered(error, doing, self.endpoint) from error
        except (HTTPError, OSError) as error:
            raise unanswered(error, doing, self.endpoint) from error


def _bound(rest: Any) -> None:
    """Bound the time of each call, and switch off the SDK's own retries: `Calls` retries and counts."""
    rest.pool_manager.connection_pool_kw["retries"] = False
    unbounded = rest.request

    def request(*args: Any, _request_timeout: Any = None, **kwargs: Any) -> Any:
        timeout = _request_timeout or (CONNECT_SECONDS, CALL_SECONDS)
        return unbounded(*args, _request_timeout=timeout, **kwargs)

    rest.request = request


def _prove_connections(manager: Any, proved: Callable[[], bool]) -> None:
    """Have each connection proved before its first byte; connections over TLS prove themselves."""
    from urllib3.connection import HTTPConnection
    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.exceptions import NewConnectionError

    class Proven(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            if not proved():
                self.close()
                raise NewConnectionError(self, "somebody else listens there")

    class Pool(HTTPConnectionPool):
        ConnectionCls = Proven

    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "http": Pool}
