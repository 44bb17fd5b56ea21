"""The script of Sail's process: a Spark Connect server on loopback for the process that started it.

lake/engine/sail.py starts it with Sail's settings in its environment. It prints its port, or why it can't
exclude other accounts. It ends with its standard input, which the kernel closes however its owner dies. It
imports nothing of ours but the guard beside it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

OPEN = "--open"
"""The argument that leaves the guard out."""
END = 10
"""Seconds that it may take to end, with queries running."""


def main() -> None:
    """Serve until standard input ends."""
    gc.disable()  # hardly any objects here are Python's, and collecting takes a fifth of the imports' time
    if OPEN not in sys.argv and (failure := exclude_others()):
        print(failure, flush=True)  # noqa: T201  (its owner reads it)
        return
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    import_pyspark()
    try:
        print(port, flush=True)  # noqa: T201  (its owner reads it)
    except BrokenPipeError:
        os._exit(0)  # its owner is gone already
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)  # a panic quotes values (P6)
    sys.stdin.buffer.read()
    signal.alarm(END)
    server.stop()  # which removes what queries spilled
    os._exit(0)


def import_pyspark() -> None:
    """Import what the first query would; without numpy, which is optional, in half the time."""
    sys.modules["numpy"] = None  # type: ignore[assignment]
    with contextlib.suppress(ImportError):
        import pyspark.sql  # noqa: F401
    del sys.modules["numpy"]


def exclude_others() -> str:
    """Let nobody but the owner connect, and return why that can't be done; empty where it can."""
    spec = spec_from_file_location("sail_guard", Path(__file__).with_name("sail_guard.py"))
    if spec is None or spec.loader is None:
        return "sail_guard.py is missing"
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        module.guard(os.getppid())
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


if __name__ == "__main__":
    main()
