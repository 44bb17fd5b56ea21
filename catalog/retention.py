"""How long versions are kept, and how a contract says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from catalog.custom import Custom

_RETENTION: Final = ("versions", "days")


@dataclass(frozen=True)
class Retention:
    """A version lives while it is among the newest `versions`, or younger than `days`; the latest always does."""

    versions: int | None = None
    days: int | None = None

    def __str__(self) -> str:
        told = [f"the newest {self.versions}"] if self.versions is not None else []
        return " and ".join([*told, *([f"those younger than {self.days} days"] if self.days is not None else [])])


def retention_of(custom: Custom) -> Retention | None:
    """How long versions are kept.

    Raises:
        ContractError: It can't be read.
    """
    given = custom.mapping("retention", _RETENTION)
    for name, value in given.items():
        if type(value) is not int or value < 1:
            raise custom.error("retention", f"retention.{name} is {value!r}", fix="write a whole number, 1 or more")
    return Retention(given.get("versions"), given.get("days")) if given else None
