"""The files of versions in the trees of commits, data and proofs, each tree told by what it changed against the one before.

A table's folder holds what all versions wrote: to list it for each of them takes the square of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lake.lakefs.repository import Repository
from lake.paths import PROOFS

DATA: Final = ("processed/", "quarantine/", "settled/", "tombstones/", "features/")
"""Where the tree holds tables. Raw keeps what was refused too, which no version names."""
RAW: Final = "raw/"


def table_data(path: str) -> bool:
    """Whether a path of the tree is a table's data file: no log's, no checkpoint's, and nothing of raw."""
    return path.startswith(DATA) and path.endswith(".parquet") and "/_delta_log/" not in path


class Trees:
    """Asked of commits in the order of history, it tells where each file of theirs lies that versions name, by path."""

    def __init__(self, repository: Repository) -> None:
        self._repository, self._commit = repository, ""
        self._files: dict[str, str] = {}

    def at(self, commit: str) -> Mapping[str, str]:
        """The physical addresses in one commit's tree; the mapping changes with the next call."""
        if not self._commit:
            for prefix in (*DATA, RAW, PROOFS):
                for item in self._repository.listing(commit, prefix):
                    if _wanted(item.path):
                        self._files[item.path] = self._repository.physical(item.physical_address)
        elif self._commit != commit:
            for path, there in self._repository.differences(self._commit, commit):
                self._files.pop(path, None)
                if there and _wanted(path) and (found := self._repository.stat(commit, path)) is not None:
                    self._files[path] = self._repository.physical(found.physical_address)
        self._commit = commit
        return self._files


def _wanted(path: str) -> bool:
    return table_data(path) or path.startswith(PROOFS) or (path.startswith(RAW) and path.endswith("/data"))
