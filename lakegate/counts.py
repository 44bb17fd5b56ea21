"""How many rows a version took in, and what became of them: the two equations of conservation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """The two equations of conservation, with their terms (all in rows, or records at the raw hop).

    Drop: records_in = valid + quarantined + unreadable. Table: after = before + inserted - deleted, and
    valid = inserted + updated + unchanged + tombstones + outdated.
    """

    records_in: int
    valid: int
    quarantined: int
    unreadable: int
    before: int
    inserted: int
    deleted: int
    after: int
    updated: int = 0
    unchanged: int = 0
    tombstones: int = 0
    outdated: int = 0

    def gaps(self) -> list[str]:
        """The equations that do not hold, in words; empty where both do."""
        found = []
        if self.records_in != self.valid + self.quarantined + self.unreadable:
            found.append(
                f"{self.records_in} in != {self.valid} valid + {self.quarantined} quarantined + {self.unreadable} unreadable"
            )
        if self.after != self.before + self.inserted - self.deleted:
            found.append(
                f"{self.after} after != {self.before} before + {self.inserted} inserted - {self.deleted} deleted"
            )
        parts = self.inserted + self.updated + self.unchanged + self.tombstones + self.outdated
        if self.valid != parts:
            found.append(
                f"{self.valid} valid != {parts} inserted, updated, unchanged, tombstones and outdated"
            )
        return found
