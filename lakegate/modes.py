"""Who may write and read in a home: its owner alone, whatever the umask was when it was made."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from lakegate.errors import LakegateError

OTHERS: Final = 0o077
WRITE: Final = 0o022
"""The bits of a mode for others' rights, and those for writing."""

_FOREIGN: Final = {
    WRITE: "others may write this, and it belongs to another user",
    OTHERS: "others may read these keys, and another user owns them",
}
KNOWN: Final = (
    "whoever had an account here since they were made may know these keys, and change the whole lake with "
    "them as long as it can run programs on this machine. lakeFS gives a home one pair for life: if such an "
    "account isn't trusted, deliver the files into a new home and delete this one"
)


def tighten(trees: Iterable[Path], *, say: Callable[[str], None]) -> None:
    """Take from others the right to write these folders, with all in a writable one, and report each.

    Nothing within a folder that others can't write is looked at.

    Raises:
        LakegateError: One belongs to another user, who may write it.
    """
    for tree in trees:
        if not _open(tree, WRITE):
            continue
        # The folder itself comes last, so that a killed process begins again.
        for folder, _, names in os.walk(tree, topdown=False, followlinks=False):
            for path in (Path(folder, name) for name in names):
                if _open(path, WRITE):
                    _take(path, WRITE)
            if _open(Path(folder), WRITE) and folder != str(tree):
                _take(Path(folder), WRITE)
        if _take(tree, WRITE):
            say(f"{tree} could be written by others: by its owner alone from now on, and what lies in it too")


def tighten_folder(folder: Path, *, say: Callable[[str], None]) -> None:
    """Take from others the right to write a folder, but not what lies in it, and report it."""
    if _open(folder, WRITE) and _take(folder, WRITE):
        say(f"{folder} could be written by others: by its owner alone from now on")


def tighten_keys(file: Path, *, say: Callable[[str], None]) -> None:
    """Take from others every right to a file that holds keys, and report that others may know them."""
    if _open(file, OTHERS) and _take(file, OTHERS):
        say(f"warning: {file} could be read by others: by its owner alone from now on\n  -> {KNOWN}")


def all_may_write(path: Path) -> bool:
    """Whether every account of the machine can change a file or folder; not where there is none."""
    try:
        return bool(path.stat().st_mode & stat.S_IWOTH)
    except (FileNotFoundError, NotADirectoryError):
        return False


def foreign(path: Path) -> bool:
    """Whether a file, folder or link itself is another user's, who is not root."""
    return path.lstat().st_uid not in (0, os.geteuid())


def shut_cache(folders: Sequence[Path], *, spoilt: Path | None = None, say: Callable[[str], None]) -> None:
    """Take from others the right to write the cache, and delete what another account may have put there.

    Args:
        folders: The cache's folders.
        spoilt: A file that another account may have put there.
        say: Called with each change.

    Raises:
        LakegateError: Others can still write it.
    """
    try:
        if spoilt is not None:
            spoilt.unlink(missing_ok=True)
        for folder in folders:
            tighten_folder(folder, say=say)
    except OSError as error:
        what, where = f"others may write the cache ({error.strerror})", str(spoilt or folders[0])
        raise LakegateError(what, where=where, fix="name another folder in LAKEGATE_CACHE") from error


def private_folder(path: Path) -> Path:
    """A folder for its owner alone; it and those above it are made where they are missing."""
    for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    return path


def _open(path: Path, rights: int) -> bool:
    """Whether others have any of these rights; a link has none of its own."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not stat.S_ISLNK(mode) and bool(mode & rights)


def _take(path: Path, rights: int) -> bool:
    """Take these rights from others; False where the file system gives all files one mode."""
    try:
        found = path.lstat()
        path.chmod(stat.S_IMODE(found.st_mode) & ~rights)
    except FileNotFoundError:
        return True
    except PermissionError as error:
        if found.st_uid == os.geteuid():
            return False
        what, fix = _FOREIGN[rights], "have its owner run chmod go-rwx on it, or name another home"
        raise LakegateError(what, where=str(path), fix=fix) from error
    return not _open(path, rights)
