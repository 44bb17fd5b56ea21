"""Why an embedded lakeFS didn't start, by what its log says; and whose it is that can't be ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lake.lakefs.errors import DISK_FULL
from lake.server.health import is_healthy
from lake.server.port_owner import recorded_process
from lake.server.state_files import read_server
from lakegate.errors import IntegrityError, LakegateError, Transient
from lakegate.home import Home

if TYPE_CHECKING:
    import psutil

OPENING: Final = "failed to open kv store"
"""What lakeFS says before what its key-value store said."""
PANIC: Final = ("panic", "/badger/")
"""What is in its log where that store found what it can't read and ended everything."""
CAUSES: Final = (
    (DISK_FULL, Transient, "the disk is full, so lakeFS did not start", "free some space"),
    (
        ("cannot acquire directory lock", "another process is using"),
        LakegateError,
        "another lakeFS holds this home's state",
        "end that process",
    ),
    (
        ("permission denied", "read-only file system"),
        LakegateError,
        "lakeFS can't write its state",
        "make it writable for this user",
    ),
    (
        ("too many open files",),
        LakegateError,
        "lakeFS may open too few files",
        "allow it more, as by `ulimit -n 1024`",
    ),
)
"""What the store may have said, each with the error that it means."""
_REASON: Final = re.compile(r'error="((?:[^"\\]|\\.){1,200})')


def why_not_started(home: Home, log: str) -> LakegateError:
    """The error of a server that ended as it began; `log` is the end of what it wrote."""
    text, place = log.lower(), str(home.lakefs / "kv")
    if OPENING not in text and not all(word in text for word in PANIC):
        what, where = f"lakeFS did not start; its log ends with\n{log}", str(home.lakefs / "lakefs.log")
        return LakegateError(what, where=where, fix="mend what the log says and try again")
    for signs, kind, what, fix in CAUSES:
        if any(words in text for words in signs):
            return kind(what, where=place, fix=f"{fix}, then run it again")
    found = _REASON.findall(log)
    why = found[-1].replace("\\", "") if found else "it ended in a panic"
    what = f"the state of the embedded lakeFS is damaged: its store can't be read ({why})"
    fix = "move this home away and put a backup in its place: `lakegate restore FOLDER`. Without one keep it "
    fix += "as it is: versions that were published can be read by `lakegate.open_snapshot`, which needs no "
    fix += "lakeFS; lakefs.log beside it tells more"
    return IntegrityError(what, where=place, fix=fix)


def leave_others(home: Home, running: Sequence[psutil.Process]) -> None:
    """Refuse to delete the record of a server that lives on and can't be ended.

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
    if (process := recorded_process(recorded)) is None or not is_healthy(recorded.port):
        return
    try:
        owner = process.username()
    except psutil.Error:
        return
    what = f"this home's lakeFS (process {recorded.pid}) is {owner}'s, and goes on"
    raise LakegateError(what, where=str(home.root), fix=f"run it as {owner}")
