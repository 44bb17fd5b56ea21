"""Runs `lakegate` commands of one pytest run in one process, so that its heavy imports are paid once.

Each command gets real file descriptors of its own for stdout and stderr.
Requests and answers are lines of JSON. Those that ask one lakeFS share a Sail, in sessions of their own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path


def run(arguments: list[str], folder: str) -> dict[str, object]:
    """One command as the shell would run it: its exit code and all it wrote."""
    from cli.main import main

    os.chdir(folder)
    sys.argv = ["lakegate", *arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            main()
            code: object = 0
        except SystemExit as done:
            code = done.code
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        out.seek(0)
        err.seek(0)
        return {"code": int(code or 0), "out": out.read().decode(), "err": err.read().decode()}  # type: ignore[call-overload]


def serve() -> None:
    """Answer requests until stdin ends."""
    from tests.support.commands.shared_engines import keep_migrations, keep_sails

    keep_sails()
    keep_migrations()
    answers = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    requests = os.fdopen(os.dup(0), "r")
    os.dup2(nothing, 0)
    for line in requests:
        asked = json.loads(line)
        answers.write(json.dumps(run(asked["arguments"], asked["folder"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    serve()
