"""How long versions are retained: a value of a contract."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Retention:
    """A version is retained among the newest `versions`, or while younger than `days`; the latest always."""

    versions: int | None = None
    days: int | None = None

    def __str__(self) -> str:
        newest = None if self.versions is None else f"the newest {self.versions}"
        young = None if self.days is None else f"those younger than {self.days} days"
        return " and ".join(filter(None, (newest, young)))
