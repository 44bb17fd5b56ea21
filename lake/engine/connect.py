"""Sessions of Spark Connect: the one module that imports pyspark's, which a linter enforces.

Its import takes half a second, so import this module where a session is opened.
"""

from __future__ import annotations

import atexit
import os
from typing import Any, Final

from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

TRIES: Final = 3
"""Tries of a call over loopback; pyspark's own fifteen take ten minutes after the server's death."""
PATIENT: Final = 10
"""Tries of the first call, which take seven seconds: gRPC waits one before it connects again."""


class LeftToItsChannel(SparkSession):  # type: ignore[misc]
    """A session whose finalizer does nothing; gRPC closes its channel.

    pyspark's finalizer waits for what other sessions of the process have still to release, in whatever thread
    the garbage collector runs: within a call of gRPC that thread holds the lock that they need, and waits for
    ever.
    """

    def __del__(self) -> None:
        """Do nothing; end a session with `stop`."""


def open_on_loopback(port: str, interceptor: Any, *, first: str) -> SparkSession:
    """Open a session of a server on this machine.

    Args:
        port: The server's port.
        interceptor: Called before each call.
        first: SQL that is run until the server responds.
    """
    channel = DefaultChannelBuilder(f"sc://127.0.0.1:{port}")
    channel.add_interceptor(interceptor)
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"  # as `remote` does; its functions ask for it
    session: SparkSession = SparkSession.Builder().channelBuilder(channel).create()
    patient = DefaultPolicy(max_retries=PATIENT, backoff_multiplier=2, max_backoff=1000)
    session.client.set_retry_policies([patient])
    # Sail has no such call, and it prints a traceback at exit.
    atexit.unregister(session.client._cleanup_ml_cache)  # noqa: SLF001
    session.sql(first).collect()
    session.client.set_retry_policies([DefaultPolicy(max_retries=TRIES, max_backoff=1000)])
    return session
