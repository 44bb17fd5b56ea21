"""Which lakeFS this release works with, and which one a binary is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LAKEFS: Final = "1.84.0"
"""The release that is built here; tools/lakefs/go.mod pins it and every module below it."""
OLDEST_LAKEFS: Final = (1, 84)
NEXT_LAKEFS: Final = (2,)
VERSION_TIMEOUT: Final = 30.0
"""Seconds that `--version` may take; a cold disk reads 130 MB first."""
FIX: Final = "put a lakeFS 1.84 or later (below 2) on PATH, or name its binary in LAKEGATE_LAKEFS"


def lakefs_version(binary: Path) -> str | None:
    """What `lakefs --version` says.

    A release, "dev" for a build without one, None where the binary isn't lakeFS or doesn't run.
    """
    found = re.match(r"lakefs version v?(\S+)", output_of([str(binary), "--version"]))
    return found[1] if found else None


def is_supported(version: str | None) -> bool:
    """Whether this release works with that version."""
    numbers = numbers_of(version or "")
    return bool(numbers) and OLDEST_LAKEFS <= numbers < NEXT_LAKEFS


def numbers_of(text: str) -> tuple[int, ...]:
    """The three numbers that a text begins with; none where it begins with something else."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def output_of(command: list[str], *, env: Mapping[str, str] | None = None) -> str:
    """What a command prints; nothing where it fails, or takes too long."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT,
            check=True,
            env=env,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
