"""Find the lakeFS server's binary: the user's, the machine's, one built before, else one built here, once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from lake.server.build import build
from lake.server.lakefs_version import LAKEFS, is_supported, lakefs_version
from lakegate.errors import LakegateError, UsageError
from lakegate.modes import all_may_write, private_folder, shut_cache
from lakegate.settings import Settings


def find_lakefs(settings: Settings, *, say: Callable[[str], None]) -> Path:
    """The lakeFS binary to run, built on the first call on a machine that has none.

    Args:
        settings: Names a binary, or none; and the cache for one that is built.
        say: Called with each thing that takes time, one line a call.

    Raises:
        UsageError: The binary that the settings name isn't a lakeFS that this release works with.
        LakegateError: There is none, and none could be built; the text quotes why.
    """
    if settings.lakefs_binary is not None:
        return _named(settings.lakefs_binary)
    if on_path := shutil.which("lakefs"):
        version = lakefs_version(Path(on_path))
        if is_supported(version):
            return Path(on_path).absolute()
        version = version or "of unknown version"
        say(f"{on_path} is lakeFS {version}; this needs 1.84 or later, below 2: not used")
    cached = settings.cache.absolute() / f"lakefs-{LAKEFS}" / "lakefs"
    _demand_own(cached, say=say)
    if not os.access(cached, os.X_OK):
        _build_once(cached, say=say)
    return cached


def _demand_own(cached: Path, *, say: Callable[[str], None]) -> None:
    """Delete a cached binary that any account could have put there, and the right to put another one there.

    It would run as this user.
    """
    parts = (cached, cached.parent, cached.parent.parent)
    if any(all_may_write(path) for path in parts):
        say(f"{cached} could be written by every account: not used, and built anew")
        shut_cache(parts[1:], spoilt=cached, say=say)


def _named(binary: Path) -> Path:
    binary = binary.absolute()
    if not (binary.is_file() and os.access(binary, os.X_OK)):
        what, fix = "LAKEGATE_LAKEFS names no file that can be run", "correct the path, or unset it"
        raise UsageError(what, where=str(binary), fix=fix)
    version = lakefs_version(binary)
    # `go build` without a stamp makes a "dev": who names such a binary knows what it is.
    if version != "dev" and not is_supported(version):
        isnt = "LAKEGATE_LAKEFS doesn't answer `--version` as lakeFS does"
        what = f"LAKEGATE_LAKEFS is lakeFS {version}" if version else isnt
        fix = "name a lakeFS of version 1.84 or later, below 2, or unset it"
        raise UsageError(what, where=str(binary), fix=fix)
    return binary


def _build_once(target: Path, *, say: Callable[[str], None]) -> None:
    from filelock import FileLock, Timeout

    cache = target.parent.parent
    try:
        private_folder(cache)
        lock = FileLock(cache / f"lakefs-{LAKEFS}.lock")
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            say("another process is building lakeFS: waiting for it")
            held = lock.acquire()
        with held:
            if os.access(target, os.X_OK):
                return
            with tempfile.TemporaryDirectory(
                dir=cache, prefix="build-", ignore_cleanup_errors=True
            ) as folder:
                build(target, Path(folder), say=say)
    except OSError as error:
        what = f"the cache can't be written ({error.strerror or error})"
        fix = "make it writable, or name another folder in LAKEGATE_CACHE"
        raise LakegateError(what, where=str(cache), fix=fix) from error
