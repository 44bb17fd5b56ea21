"""The process's environment where libraries insist on reading it: set for good, or for as long as one of them starts."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from typing import Final

YOUNG: Final = 50_000
"""New objects after which Python looks for cycles among them: what is imported stays, and looking through it costs a tenth of an import."""
LOOPBACK: Final = ("127.0.0.1", "localhost")


def prepare_environment() -> None:
    """Set for good what libraries read from the process's environment late, each at a time of its own.

    gRPC, where it is imported after this, begins its threads anew in no fork that is about to become another program: of the forks that
    pyspark makes for its JVM, one in two hundred died of it.
    Engine and embedded lakeFS are on loopback, which no proxy reaches: gRPC, urllib3, Sail and delta-rs ask for proxies
    whenever they connect. Great Expectations asks for consent to telemetry at its import. Python's collector of cycles looks
    seldomer, and not at all at the process's end.
    """
    gc.set_threshold(YOUNG)
    atexit.unregister(gc.freeze)
    atexit.register(
        gc.freeze
    )  # else a third of a second goes into taking a hundred thousand imported objects apart, one by one
    given = [
        part.strip() for name in ("no_proxy", "NO_PROXY") for part in os.environ.get(name, "").split(",")
    ]
    exempt = ",".join(dict.fromkeys([*filter(None, given), *LOOPBACK]))
    _set(
        {
            "NO_PROXY": exempt,
            "no_proxy": exempt,
            "GX_ANALYTICS_ENABLED": "false",
            "GRPC_ENABLE_FORK_SUPPORT": "false",
        }
    )


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """The environment with these values; None takes a name out."""
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)
