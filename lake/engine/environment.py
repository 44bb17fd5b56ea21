"""The process's environment variables that libraries read: set for good, or while one of them starts."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from typing import Final

YOUNG: Final = 50_000
"""New objects after which Python collects cycles; by its default, that takes a tenth of an import's time."""
LOOPBACK: Final = ("127.0.0.1", "localhost")


def prepare_environment() -> None:
    """Set for good the environment variables that libraries read whenever they need them.

    Engine and embedded lakeFS are on loopback, which no proxy reaches: gRPC, urllib3, Sail and delta-rs look
    for proxies whenever they connect. Great Expectations reads the consent to telemetry at its import. gRPC
    must not restart its threads in forks: of the forks that pyspark makes for its JVM, one in two hundred
    died of it. Python's collector of cycles runs less often, and not at all at the process's end.
    """
    gc.set_threshold(YOUNG)
    # Else the process's end takes a third of a second longer, to free a hundred thousand imported objects.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    given = ",".join(os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")).split(",")
    exempt = ",".join(dict.fromkeys([*filter(None, map(str.strip, given)), *LOOPBACK]))
    proxies = {"NO_PROXY": exempt, "no_proxy": exempt}
    _set({**proxies, "GX_ANALYTICS_ENABLED": "false", "GRPC_ENABLE_FORK_SUPPORT": "false"})


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set these environment variables within; None removes a name."""
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)
