"""Folders for intermediate files that may hold personal data: for their owner only, gone with its process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lake.runtime.disk_errors import HANDLES, disk_error
from lakegate.errors import LakegateError
from lakegate.settings import Settings

LOCK: Final = ".lakegate-scratch"
"""A file in each folder, locked by the process that uses it; the kernel frees it when that process dies."""

_OURS: Final = re.compile(r".+-[0-9a-f]{12}\Z")


@contextlib.contextmanager
def scratch(settings: Settings, name: str) -> Iterator[Path]:
    """A folder that its owner alone can read, and that is gone afterwards (after a kill: at the next sweep).

    Raises:
        LakegateError: It can't be made.
    """
    try:
        folder, lock = _made(settings.scratch_dir, name)
    except OSError as error:
        if error.errno in HANDLES and (ours := disk_error(error, settings.scratch_dir)) is not None:
            raise ours from error
        what = f"the scratch folder can't be written ({error.strerror})"
        fix = "make it writable and its disk less full, or name another with LAKEGATE_SCRATCH"
        raise LakegateError(what, where=str(settings.scratch_dir), fix=fix) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def in_use(settings: Settings, name: str) -> bool:
    """Whether a living process has a folder of that name."""
    for lock in settings.scratch_dir.glob(f"{name}-*/{LOCK}"):
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(descriptor)
    return False


def sweep(settings: Settings) -> int:
    """Remove the folders of processes that died, and say how many there were; leave other things alone."""
    root, gone = settings.scratch_dir, 0
    # In the home's own folder all is ours; in one that the settings name, only what has our lock file.
    flags = os.O_RDWR | (os.O_CREAT if settings.scratch is None else 0)
    try:
        folders = sorted(root.iterdir())
    except OSError:  # not made yet, or not ours to read: `scratch` says so
        return 0
    for folder in folders:
        if not _OURS.match(folder.name) or folder.is_symlink() or not folder.is_dir():
            continue
        with contextlib.suppress(OSError):  # in use, someone else's, or gone meanwhile
            lock = os.open(folder / LOCK, flags, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                gone += 1
            finally:
                os.close(lock)
    return gone


def _made(root: Path, name: str) -> tuple[Path, int]:
    """A fresh folder and its lock, held; made again where a sweep came between the two."""
    for missing in reversed([one for one in (root, *root.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    while True:
        folder = root / f"{name}-{uuid.uuid4().hex[:12]}"
        folder.mkdir(mode=0o700)
        with contextlib.suppress(FileNotFoundError):  # swept
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            with contextlib.suppress(
                OSError
            ):  # a file system without locks, on which a sweep gets none either
                fcntl.flock(lock, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), os.stat(folder / LOCK)):  # noqa: PTH116  (beside fstat)
                    return folder, lock
            os.close(lock)
