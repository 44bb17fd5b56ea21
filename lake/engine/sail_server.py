"""What Sail's process runs: a Spark Connect server on loopback, for the process that started it alone, and no longer than that lives.

A script, started by lake/engine/sail.py with Sail's settings in its environment. It prints its port, or why it can't keep others out, and ends
with its standard input, which the kernel closes however its owner dies. It imports nothing of ours but the guard beside it.
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
"""Seconds that it may take to end, whatever its queries are at."""


def main() -> None:
    """Serve until standard input ends."""
    gc.disable()  # hardly anything here is Python's, but for imports, of which its collector would take a fifth
    if OPEN not in sys.argv and (why := kept_out()):
        print(why, flush=True)  # noqa: T201  (its owner reads it)
        return
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    _, port = server.listening_address
    import_pyspark()
    try:
        print(port, flush=True)  # noqa: T201  (its owner reads it)
    except BrokenPipeError:
        os._exit(0)  # it needed none
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)  # a panic quotes values (P6)
    sys.stdin.buffer.read()
    signal.alarm(END)
    server.stop()  # which removes what queries spilled
    os._exit(0)


def import_pyspark() -> None:
    """Import what the first query would, while its owner waits for that: without numpy, half of it, by which pyspark counts where it can be imported."""
    sys.modules["numpy"] = None  # type: ignore[assignment]
    with contextlib.suppress(ImportError):
        import pyspark.sql  # noqa: F401
    del sys.modules["numpy"]


def kept_out() -> str:
    """Keep everybody but the owner out, and return why that can't be done; empty where it can."""
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
