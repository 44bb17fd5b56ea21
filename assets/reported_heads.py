"""Which tables Dagster was told all of, by their heads: who asks it of each table and command, asks it of what nobody touched.

A cache in the home, of one Dagster storage; where it is missing or another's, Dagster is asked.
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


class Reported:
    """The heads as one listing of main shows them, against those up to which Dagster was told of everything."""

    def __init__(self, session: Session, instance: DagsterInstance) -> None:
        self._file = session.settings.home.cache / f"reported-{session.settings.tenant}.json"
        self._storage = _storage_id(instance)
        listed = session.repository.listing(MAIN, paths.HEADS)
        self._heads = {
            item.path.removeprefix(paths.HEADS).removesuffix(".json"): item.checksum for item in listed
        }
        self._known = _read(self._file, self._storage)

    def behind(self, table: str) -> bool:
        """Whether a table has a version that Dagster may not have been told of."""
        return table in self._heads and self._known.get(table) != self._heads[table]

    def told(self) -> None:
        """Remember that Dagster was told of all that is listed."""
        if self._known == self._heads:
            return
        self._known = dict(self._heads)
        with contextlib.suppress(OSError):
            write_atomically(self._file, json.dumps({"storage": self._storage, "heads": self._known}))


def _storage_id(instance: DagsterInstance) -> str:
    """What tells one Dagster storage from another; another each time where it can't be told."""
    storage = instance.run_storage
    return storage.get_run_storage_id() if isinstance(storage, SqlRunStorage) else uuid.uuid4().hex


def _read(file: Path, storage: str) -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        told = json.loads(file.read_bytes())
        if told["storage"] == storage:
            return {str(table): str(head) for table, head in told["heads"].items()}
    return {}
