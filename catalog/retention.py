"""How long versions are kept: a value of a contract."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Retention:
    """A version lives while it is among the newest `versions`, or younger than `days`; the latest always does."""

    versions: int | None = None
    days: int | None = None

    def __str__(self) -> str:
        told = [f"the newest {self.versions}"] if self.versions is not None else []
        return " and ".join(
            [*told, *([f"those younger than {self.days} days"] if self.days is not None else [])]
        )
