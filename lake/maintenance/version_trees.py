"""Where the files of versions, data and proofs, lie in the trees of many commits.

A table's folder holds what all versions wrote, so listing it for each version takes quadratic time. Each tree
is read as its differences from the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lake.lakefs.repository import Repository
from lake.paths import PROOFS

DATA: Final = ("processed/", "quarantine/", "settled/", "tombstones/", "features/")
"""Where the tree holds tables. Raw also holds refused drops, which no version names."""
RAW: Final = "raw/"


def table_data(path: str) -> bool:
    """Whether a path of the tree is a table's data file: no log's, no checkpoint's, and nothing of raw."""
    return path.startswith(DATA) and path.endswith(".parquet") and "/_delta_log/" not in path


class Trees:
    """The trees of commits, which are read in the order of history."""

    def __init__(self, repository: Repository) -> None:
        self._repository, self._commit = repository, ""
        self._files: dict[str, str] = {}

    def at(self, commit: str) -> Mapping[str, str]:
        """The physical addresses in one commit's tree, by path; the mapping changes with the next call."""
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
