"""Records of the ledger that are no part of a publish: attempts, waits, blocks and failures, on its branch.

A record's name has its table, state and key, so that a state is found by listing one drop's records, without
reading them. While lakeFS is away a record waits in the home's spool.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from lake import paths
from lake.ledger import refused_drops
from lake.ledger.receipts import received
from lake.session import Session
from lakegate.errors import AccessError, Conflict, IntegrityError, Transient, UsageError

KEY_DIGITS: Final = 12
COMMIT_ONE_IN: Final = 16
"""Records: a commit takes longer than what it makes history, and more so the more of them there are."""
COMMIT_TRIES: Final = 5
RUN_DIGITS: Final = 8
"""Of a run's id, in the names of its records."""


@dataclass(frozen=True)
class Record:
    """One record, by what its name says; `read` fetches its body."""

    path: str
    at: str
    table: str
    state: str
    key: str
    run: str
    """The first digits of the id of the run that wrote it."""

    @property
    def dataset(self) -> str:
        """The dataset or feature table that it belongs to."""
        return self.path.split("/")[0]

    @property
    def cause(self) -> str:
        """The drop, or whatever else it is a record of."""
        return self.path.split("/")[1]


def stamp(moment: datetime) -> str:
    """A moment in UTC as records have it: as text it sorts as time does."""
    return moment.strftime("%Y%m%dT%H%M%S.%fZ")


def write(
    session: Session, *, dataset: str, cause: str, table: str, state: str, key: str, body: dict[str, Any]
) -> None:
    """Write one record; its name is unique, so nothing is ever overwritten.

    Args:
        session: The open lake.
        dataset: The dataset or feature table that it belongs to.
        cause: The drop, or whatever else it is a record of.
        table: The table that the hop writes.
        state: What became of the attempt.
        key: Of the attempt: the first digits of a hash of what it depends on, or `-`.
        body: What the record says beside.
    """
    at = stamp(datetime.now(UTC))
    words = (at, table, state, key, f"{session.run[:RUN_DIGITS]}-{uuid.uuid4().hex[:8]}.json")
    path = f"{dataset}/{cause}/{paths.SEPARATOR.join(words)}"
    fixed = {"format": paths.FORMAT, "table": table, "state": state, "key": key, "at": at, "run": session.run}
    content = json.dumps({**body, **fixed}, sort_keys=True).encode()
    try:
        _store(session, path, content)
    except (Transient, AccessError):
        folder = _spool(session)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = folder / f"{uuid.uuid4().hex}.tmp"
        fresh.write_bytes(content)
        fresh.replace(folder / path.replace("/", "~~"))


def spooled(session: Session) -> list[str]:
    """The records that wait in the spool, by their paths in the ledger."""
    return [waiting.name.replace("~~", "/") for waiting in sorted(_spool(session).glob("*.json"))]


def unspool(session: Session) -> int:
    """Store the records that wait in the spool, once no other process does; returns how many."""
    stored, folder = 0, _spool(session)
    if not any(folder.glob("*.json")):
        return 0
    with FileLock(folder / ".lock", mode=0o600):
        for waiting in sorted(folder.glob("*.json")):
            _store(session, waiting.name.replace("~~", "/"), waiting.read_bytes())
            waiting.unlink(missing_ok=True)
            stored += 1
    return stored


def _spool(session: Session) -> Path:
    return session.settings.home.spool / session.settings.tenant


def find(session: Session, *, dataset: str = "", cause: str = "") -> list[Record]:
    """The records of one drop (of all drops of a dataset, of all datasets), oldest first."""
    prefix = "".join(f"{word}/" for word in (dataset, cause) if word)
    listed = (item.path for item in session.repository.listing(paths.LEDGER, prefix))
    # What has none is a marker; or the branch was made anew, from a main with a history.
    found = [record_of(path) for path in listed if paths.SEPARATOR in path]
    return sorted(found, key=lambda record: record.at)


def record_of(path: str) -> Record:
    """A record by its path."""
    at, table, state, key, last = path.rsplit("/", 1)[-1].removesuffix(".json").split(paths.SEPARATOR)
    return Record(path, at, table, state, key, last.partition("-")[0])


def latest(session: Session, *, dataset: str, cause: str = "", table: str | None = None) -> Record | None:
    """The newest record of a drop (of all drops of a dataset), of one table or of all."""
    found = find(session, dataset=dataset, cause=cause)
    return next((record for record in reversed(found) if table in (None, record.table)), None)


def read(session: Session, record: Record) -> dict[str, Any]:
    """A record's body."""
    return session.repository.get_json(paths.LEDGER, record.path) or {}


def mark_refused(session: Session, record: Record) -> None:
    """Mark the drop that a record refused, where it is the drop's newest (see `refused_drops`)."""
    dataset, drop = record.dataset, record.cause
    # Else it has no marker, as if this process died here; or it is no drop.
    with contextlib.suppress(Transient, AccessError, UsageError):
        name = received(session, dataset, drop).name
        refused_drops.mark(session, dataset, drop, name=name, record=record.path)
        if latest(session, dataset=dataset, cause=drop) != record:  # another process wrote one meanwhile
            refused_drops.unmark(session, dataset, drop)


def _store(session: Session, path: str, content: bytes) -> None:
    """Put a record on the branch, and the marker of its drop right."""
    record = record_of(path)
    contract = session.catalog.contracts.get(record.dataset)
    is_feature = contract is not None and contract.kind == "feature"
    refused = record.state in refused_drops.STATES
    if not is_feature and not refused and (record.dataset, record.cause) not in session.unmarked:
        refused_drops.unmark(session, record.dataset, record.cause)
    _put(session, path, content)
    if not is_feature and refused:
        mark_refused(session, record)


def _put(session: Session, path: str, content: bytes) -> None:
    """Put a record on the branch, where it is stored and seen; one in COMMIT_ONE_IN records commits all."""
    session.repository.put(paths.LEDGER, path, content)
    if zlib.crc32(path.encode()) % COMMIT_ONE_IN:
        return
    for _ in range(COMMIT_TRIES):
        try:
            session.repository.commit(paths.LEDGER, "ledger", {})
        except Conflict:
            time.sleep(0.05)
        except IntegrityError:
            return  # another writer's commit took this record along: nothing is left to commit
        else:
            return
