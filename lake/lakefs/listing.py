"""An object as a listing of lakeFS returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Listed:
    """One listed object; `checksum` differs where its bytes differ, `mtime` is in seconds since 1970."""

    path: str
    size_bytes: int
    physical_address: str
    checksum: str
    mtime: int

    @staticmethod
    def of(entry: dict[str, Any]) -> Listed:
        """One entry of lakeFS's JSON."""
        size, mtime = int(entry.get("size_bytes", 0)), int(entry["mtime"])
        return Listed(entry["path"], size, entry["physical_address"], entry["checksum"], mtime)
