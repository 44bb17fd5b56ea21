"""Calls to lakeFS: retried where another try may help, and its errors turned into ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Final, TypeVar

import tenacity

from lake.lakefs.errors import NotThere, answered, unanswered
from lakegate.errors import Transient
from lakegate.home import Endpoint

__all__ = ["NotThere"]

T = TypeVar("T")

PAGE: Final = 1000
"""Most entries that lakeFS returns per listing."""

TRIES: Final = 5
CONNECT_SECONDS: Final = 5
CALL_SECONDS: Final = 60
"""Seconds after which a call that isn't answered is a transient failure."""
RESERVE: Final = 20
"""Tries beyond the first that a process may make in a row while nothing succeeds."""
EARNED_BY: Final = 5
"""Calls that succeed and earn one more such try."""


class Budget:
    """What a process may press an outage with: tries beyond the first, earned back by calls that succeed."""

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
    """The client of one lakeFS.

    Args:
        endpoint: Where lakeFS answers.
        reconnect: Called before another try when lakeFS did not answer; starts the embedded server again if it died, and
            says where it answers now.
        proved: Asked of each new connection before a byte goes over it: whether it is lakeFS that listens there. Each
            call carries the secret itself.
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

        client: Any = Client
        sdk = _bounded(
            client(
                host=self.endpoint.url, username=self.endpoint.key_id, password=self.endpoint.secret
            ).sdk_client
        )
        return _proving(sdk, self._proved)

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
            self._forget_clients()

    def _forget_clients(self) -> None:
        """Drop what was made for the endpoint that was; each is made anew when next asked for."""
        self.__dict__.pop("_api", None)

    def calling(self, call: Callable[[Endpoint], T], *, doing: str, retry: bool = True) -> T:
        """Run one call of another client, which is told where lakeFS answers, as if it were one of these."""
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

    def _pages(self, page: Callable[[str], Any], *, doing: str) -> Iterator[Any]:
        after = ""
        while True:
            found = self._call(lambda start=after: page(start), doing=doing)  # type: ignore[misc]
            yield from found.results
            if not found.pagination.has_more:
                return
            after = found.pagination.next_offset


def _bounded(sdk: Any) -> Any:
    """The client with a bound on the time of each call, and without tries of its own: these are counted here."""
    rest: Any = sdk._api.rest_client  # noqa: SLF001  (the SDK takes a time-out call by call alone)
    rest.pool_manager.connection_pool_kw["retries"] = False
    unbounded = rest.request

    def request(*args: Any, _request_timeout: Any = None, **kwargs: Any) -> Any:
        return unbounded(
            *args, _request_timeout=_request_timeout or (CONNECT_SECONDS, CALL_SECONDS), **kwargs
        )

    rest.request = request
    return sdk


def _proving(sdk: Any, proved: Callable[[], bool]) -> Any:
    """The client with connections that are proved before they are used; those over TLS prove themselves."""
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

    manager: Any = sdk._api.rest_client.pool_manager  # noqa: SLF001
    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "http": Pool}
    return sdk
