"""A process of another account, and an engine that it tries to use."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import ROOT

SCRIPT = ROOT / "tests/support/security/stranger.py"
ACCOUNT = 54_321
"""A user that owns nothing here. The system asks for no entry in its list of names."""
can_be_other = pytest.mark.skipif(
    os.geteuid() != 0,
    reason="NOT TRIED: a second account. Only root can act "
    "as another user: run these tests as root, in a container",
)

each_stranger = pytest.mark.parametrize(
    "account", [pytest.param(ACCOUNT, marks=can_be_other), 0], ids=["another account", "another process"]
)


class Stranger:
    """A process of another account, or (account 0) another process of this one."""

    def __init__(self, action: str, *arguments: object, account: int = ACCOUNT) -> None:
        command = [sys.executable, str(SCRIPT), action, *map(str, arguments), str(account)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.said() == "ready"

    def said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def got(self) -> Any:
        """What it got, where it has ended."""
        return json.loads(self.said())


@contextlib.contextmanager
def sitting(port: int, *, account: int = 0) -> Iterator[Stranger]:
    """Somebody on that port until the end of this; what was said there is known after it."""
    enough = Path(f"/tmp/enough-{port}")
    stranger = Stranger("sit", port, 60, account=account)
    assert stranger.said() == "sitting"
    try:
        yield stranger
    finally:
        enough.touch()
        stranger.process.wait(10)
        enough.unlink()
