"""The demo, and any verb, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.places import ROOT

PROJECT = ROOT


def call(home: Path, *arguments: str) -> Any:
    """What a verb prints as JSON, in a process of its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "cli.main",
            *arguments,
            "--json",
            "--home",
            str(home),
            "--project",
            str(PROJECT),
        ],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def demo(home: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(home, "demo", *arguments)
    return found
