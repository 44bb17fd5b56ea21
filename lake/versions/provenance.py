"""Which code, packages and settings made a version: recorded with it, because nobody can find out later."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from lakegate import __version__
from lakegate.settings import Settings

RECORDED: Final = (
    "lakegate",
    "great-expectations",
    "pyarrow",
    "pysail",
    "pyspark",
    "delta-spark",
    "deltalake",
    "lakefs",
    "sqlglot",
)
GIT_SECONDS: Final = 10


@cache
def code() -> dict[str, str | None]:
    """The release, and in a git checkout its commit and the SHA-256 of what differs from it."""
    folder = Path(__file__).resolve().parents[2]
    commit = commit_of(folder) if (folder / ".git").exists() else None
    changes = _git(folder, "diff", "HEAD") if commit else None
    return {
        "release": __version__,
        "commit": commit,
        "diff_sha256": hashlib.sha256(changes).hexdigest() if changes else None,
    }


@cache
def commit_of(folder: Path) -> str | None:
    """The git commit of a project, where it is a checkout."""
    found = _git(folder, "rev-parse", "HEAD")
    return found.decode().strip() if found else None


@cache
def packages() -> dict[str, str]:
    """Versions of the packages that can change a result, and of Python."""
    found = {"python": platform.python_version()}
    for name in RECORDED:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def configuration(settings: Settings) -> dict[str, Any]:
    """The settings that can change a result; no address and no key."""
    return {
        "tenant": settings.tenant,
        "memory": settings.memory,
        "lakefs": "external" if settings.lakefs else "embedded",
    }


def _git(folder: Path, *arguments: str) -> bytes | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=GIT_SECONDS).stdout
    except (OSError, subprocess.SubprocessError):
        return None
