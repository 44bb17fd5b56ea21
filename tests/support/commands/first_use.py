"""Eight processes that do one thing for the first time, at once, on one home. Arguments: what, the home.

They are forked after all imports, and begin together. It prints one line a process, what it got or `error:
...`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

from assets.instance import _instance, open_instance
from lake.lakefs.repository import MAIN
from lake.runtime.scratch import scratch
from lake.server.install import find_lakefs
from lake.session import open_session
from lakegate.settings import Settings

MANY = 8


def instance(settings: Settings) -> str:
    with open_instance(settings) as opened:
        return str(opened.get_runs_count())


def session(settings: Settings) -> str:
    opened = open_session(settings, say=lambda _: None)
    assert opened.repository.commit_of("ledger")
    return f"{opened.endpoint.url} {opened.repository.commit_of(MAIN)}"


def home(settings: Settings) -> str:
    settings.home.prepare()
    with scratch(settings, "first") as folder:
        return str(folder.is_dir())


def binary(settings: Settings) -> str:
    said: list[str] = []
    path = find_lakefs(settings, say=said.append)
    return f"{path} built={any(line.startswith('building') for line in said)}"


def tell(text: str) -> None:
    os.write(1, f"{text}\n".encode())  # in one piece


if __name__ == "__main__":
    what, root = sys.argv[1:]
    if what == "session":
        import_module("lakefs.client")
    if what == "instance":  # what opening one imports
        with tempfile.TemporaryDirectory() as folder:
            _instance(Path(folder)).dispose()
    settings = Settings.load(home=root, project=Path(__file__).parents[3])
    waiting, go = os.pipe()
    children = []
    for _ in range(MANY):
        if not (child := os.fork()):
            os.close(go)
            os.read(waiting, 1)  # ends when the parent lets go
            try:
                tell(globals()[what](settings))
            except BaseException:  # noqa: BLE001  (whatever it is, it is told)
                tell(f"error: {traceback.format_exc().splitlines()[-1]}")
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(waiting)
    os.close(go)
    sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
