"""What `lakegate dev` runs: Dagster's own `dagster dev`, with our web server in the place of its own.

It ends with its starter where that says so: its standard input is then a pipe from there, which the kernel
closes however the starter dies.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from typing import Any, Final

import dagster._cli.dev as dagster_dev

THEIRS: Final = "dagster_webserver"
OURS: Final = "assets.web.webserver"
UNTIL: Final = "--until-eof"
"""The argument that ends it with its standard input."""


def _started(start: Any, parts: list[str], **kwargs: Any) -> Any:
    """Start one of Dagster's services; the web server as ours."""
    return start([OURS if part == THEIRS else part for part in parts], **kwargs)


def _end_with_starter() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    """Run until it is interrupted."""
    # The successor of `dagster dev` runs no code location of this kind.
    warnings.filterwarnings("ignore", message=".*superseded")
    start = vars(dagster_dev)["open_ipc_subprocess"]
    vars(dagster_dev)["open_ipc_subprocess"] = lambda parts, **kwargs: _started(start, parts, **kwargs)
    # A script's `&` leaves SIGINT ignored, which a child inherits, and Dagster ends by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if UNTIL in sys.argv:
        threading.Thread(target=_end_with_starter, daemon=True).start()
    dagster_dev.dev_command.main([part for part in sys.argv[1:] if part != UNTIL], prog_name="dagster dev")


if __name__ == "__main__":
    main()
