"""What a listing of lakeFS tells of an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing tells of it; `checksum` is another one for other bytes, `mtime` in seconds since 1970."""

    path: str
    size_bytes: int
    physical_address: str
    checksum: str
    mtime: int

    @staticmethod
    def of(told: dict[str, Any]) -> Listed:
        """One entry of lakeFS's answer."""
        return Listed(
            told["path"],
            int(told.get("size_bytes", 0)),
            told["physical_address"],
            told["checksum"],
            int(told["mtime"]),
        )
