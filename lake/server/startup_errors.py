"""Why an embedded lakeFS didn't come up, as its log tells it; and whose it is that can't be ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lake.lakefs.errors import DISK_FULL
from lake.server.health import answers
from lake.server.state_files import read_server
from lakegate.errors import IntegrityError, LakegateError, Transient
from lakegate.home import Home

if TYPE_CHECKING:
    import psutil

OPENING: Final = "failed to open kv store"
"""What lakeFS says before what its key-value store said."""
PANIC: Final = ("panic", "/badger/")
"""What stands in its log where that store found what it can't read and ended everything."""
HELD: Final = ("cannot acquire directory lock", "another process is using")
CLOSED: Final = ("permission denied", "read-only file system")
HANDLES: Final = "too many open files"
_REASON: Final = re.compile(r'error="((?:[^"\\]|\\.){1,200})')
SAME_START: Final = 2.0
"""Seconds by which the start of a process may be told differently."""


def why_not_started(home: Home, log: str) -> LakegateError:
    """The error of a server that ended as it began; `log` is the end of what it wrote."""
    text, place = log.lower(), str(home.lakefs / "kv")
    if OPENING not in text and not all(word in text for word in PANIC):
        what = f"lakeFS did not start; its log ends with\n{log}"
        return LakegateError(
            what, where=str(home.lakefs / "lakefs.log"), fix="mend what the log says and try again"
        )
    if any(words in text for words in DISK_FULL):
        return Transient(
            "the disk is full, so lakeFS did not start", where=place, fix="free some space, then run it again"
        )
    if any(words in text for words in HELD):
        return LakegateError(
            "another lakeFS holds this home's state", where=place, fix="end that process, then run it again"
        )
    if any(words in text for words in CLOSED):
        return LakegateError(
            "lakeFS can't write its state",
            where=place,
            fix="make it writable for this user, then run it again",
        )
    if HANDLES in text:
        return LakegateError(
            "lakeFS may open too few files",
            where=place,
            fix="allow it more, as by `ulimit -n 1024`, then run it again",
        )
    found = _REASON.findall(log)
    why = found[-1].replace("\\", "") if found else "it ended in a panic"
    what = f"the state of the embedded lakeFS is damaged: its store can't be read ({why})"
    fix = "move this home aside and put a backup in its place: `lakegate restore FOLDER`. Without one keep it as it is: versions that were published "
    fix += "can be read by `lakegate.open_snapshot`, which needs no lakeFS; lakefs.log beside it tells more"
    return IntegrityError(what, where=place, fix=fix)


def leave_others(home: Home, running: Sequence[psutil.Process]) -> None:
    """Refuse to take the record of a server away that lives on and can't be ended.

    Args:
        home: Whose server.
        running: Those of its servers that this user may look at.

    Raises:
        LakegateError: It is another user's.
    """
    import psutil

    recorded = read_server(home)
    if recorded is None or recorded.pid in [process.pid for process in running]:
        return
    try:
        process = psutil.Process(recorded.pid)
        owner, lives = process.username(), abs(process.create_time() - recorded.started) < SAME_START
    except psutil.Error:
        return
    if lives and answers(recorded.port):
        what = f"this home's lakeFS (process {recorded.pid}) is {owner}'s, and goes on"
        raise LakegateError(what, where=str(home.root), fix=f"run it as {owner}")
