"""`lakegate demo` that kills its whole process group at a named step; run by test_killed_demo.py, never imported.

Arguments: a plan in JSON (`table`, `step`, `occurrence`, `lakefs`), then the command line's own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    """Install the killer behind the session's watcher, then run the command line."""
    import lake.session
    from cli.main import main as command_line

    plan = json.loads(sys.argv[1])
    sys.argv = ["lakegate", *sys.argv[2:]]
    left = plan["occurrence"]
    honest = lake.session.open_session

    def opened(*args: Any, **kwargs: Any) -> lake.session.Session:
        session = honest(*args, **kwargs)
        show = session.watcher

        def watcher(table: str, step: str) -> None:
            nonlocal left
            if show is not None:
                show(table, step)
            if (table, step) != (plan["table"], plan["step"]):
                return
            left -= 1
            if left == 0:
                if plan["lakefs"]:
                    server = json.loads(session.settings.home.server_file.read_text())
                    os.kill(int(server["pid"]), signal.SIGKILL)
                os.killpg(0, signal.SIGKILL)

        session.watcher = watcher
        return session

    lake.session.open_session = opened
    command_line()


main()
