"""Which tables were reported to Dagster up to their heads: a command need not query Dagster for these.

A cache in the home, of one Dagster storage; where it is missing or another storage's, Dagster is queried.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from pathlib import Path

from dagster import DagsterInstance
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from lake import paths
from lake.lakefs.repository import MAIN
from lake.session import Session
from lakegate.atomic import write_atomically


class ReportedHeads:
    """The heads as one listing of main shows them, against those up to which all was reported."""

    def __init__(self, session: Session, instance: DagsterInstance) -> None:
        self._file = session.settings.home.cache / f"reported-{session.settings.tenant}.json"
        self._storage = _storage_id(instance)
        listed = session.repository.listing(MAIN, paths.HEADS)
        self._heads = {
            item.path.removeprefix(paths.HEADS).removesuffix(".json"): item.checksum for item in listed
        }
        self._known = _read(self._file, self._storage)

    def behind(self, table: str) -> bool:
        """Whether a table has a version that Dagster may not know."""
        return table in self._heads and self._known.get(table) != self._heads[table]

    def remember(self) -> None:
        """Note that all that is listed was reported."""
        if self._known == self._heads:
            return
        self._known = dict(self._heads)
        with contextlib.suppress(OSError):
            write_atomically(self._file, json.dumps({"storage": self._storage, "heads": self._known}))


def _storage_id(instance: DagsterInstance) -> str:
    """The id of a Dagster storage; a new one each time where the storage has none."""
    storage = instance.run_storage
    return storage.get_run_storage_id() if isinstance(storage, SqlRunStorage) else uuid.uuid4().hex


def _read(file: Path, storage: str) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        cached = json.loads(file.read_bytes())
        if cached["storage"] == storage:
            return {str(table): str(head) for table, head in cached["heads"].items()}
    return {}
