"""Format 3: a drop that a person rejected is `rejected` in the ledger, and no longer named as rows are.

A record's name and its body hold its state. Each step writes a record under its new name before it deletes
the old one: it can be killed anywhere and run again, or by two at once, and the record is always there.
"""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from filelock import FileLock

from lake import paths
from lake.lakefs.repository import Repository
from lakegate.errors import IntegrityError
from lakegate.home import Home

WAS: Final = "discarded"
IS: Final = "rejected"
WRITERS: Final = 8
"""Records that are renamed at once: each is a few waits."""


def rename_spooled(home: Home, _: Repository) -> int:
    """Rename the records of all tenants that wait in the home's spool for lakeFS."""
    done = 0
    for folder in sorted(path for path in home.spool.iterdir() if path.is_dir()):
        if not any(folder.glob(f"*~{WAS}~*.json")):
            continue
        with FileLock(folder / ".lock", mode=0o600):  # held while they are stored in the lake
            for waiting in sorted(folder.glob("*.json")):
                if (name := _renamed(waiting.name, "~")) is not None:
                    fresh = folder / f"{uuid.uuid4().hex}.tmp"
                    fresh.write_bytes(_with_new_state(waiting.read_bytes()))
                    fresh.replace(folder / name)
                    waiting.unlink()
                    done += 1
    return done


def drop_markers(_: Home, repository: Repository) -> int:
    """Delete the markers of rejected drops: the next listing looks such a drop up, and marks it again.

    The drop has the marker of its refusal, too, which isn't true any more. That one is deleted first: as long
    as the other is there, the next try finds the drop.
    """
    listed = [item.path for item in repository.listing(paths.LEDGER, paths.REFUSED)]
    drops = {_drop_of(path) for path in listed if _renamed(path, "+") is not None}
    found = [path for path in listed if _drop_of(path) in drops]
    for path in sorted(found, key=lambda path: _renamed(path, "+") is not None):
        repository.delete(paths.LEDGER, path)
    return 0


def _drop_of(marker: str) -> str:
    return marker.rsplit("/", 2)[0]


def rename_records(_: Home, repository: Repository) -> int:
    """Rename the records in the ledger."""
    listed = repository.listing(paths.LEDGER, "")
    found = [item.path for item in listed if _renamed(item.path, "~") is not None]
    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(lambda path: _rename_record(repository, path), found))


def _rename_record(repository: Repository, path: str) -> bool:
    name = _renamed(path, "~")
    try:
        content = repository.get(paths.LEDGER, path)
    except IntegrityError:  # its block is lost: who reads it gets that error, and the lake opens all the same
        return False
    if name is None or content is None:  # another home on this lakeFS was first
        return False
    repository.put(paths.LEDGER, name, _with_new_state(content))
    repository.delete(paths.LEDGER, path)
    return True


def _renamed(path: str, separator: str) -> str | None:
    """A record's path with its new state; None where it has another one, or it is none's."""
    folder, slash, name = path.rpartition("/")
    words = name.split(separator)
    at = len(words) - 3  # in the spool slashes are separators, too
    if len(words) < 5 or words[at] != WAS:  # noqa: PLR2004  (time, table, state, key, run)
        return None
    return f"{folder}{slash}{separator.join([*words[:at], IS, *words[at + 1 :]])}"


def _with_new_state(content: bytes) -> bytes:
    try:
        return json.dumps({**json.loads(content), "state": IS}, sort_keys=True).encode()
    except (TypeError, ValueError):  # no record that could be read before
        return content
