"""How many rows a version received, and what became of them: the two equations of conservation."""

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
        judged = self.valid + self.quarantined + self.unreadable
        after = self.before + self.inserted - self.deleted
        merged = self.inserted + self.updated + self.unchanged + self.tombstones + self.outdated
        sides = f"{self.valid} valid + {self.quarantined} quarantined + {self.unreadable} unreadable"
        change = f"{self.before} before + {self.inserted} inserted - {self.deleted} deleted"
        actions = f"{merged} inserted, updated, unchanged, tombstones and outdated"
        equations = {
            f"{self.records_in} in != {sides}": self.records_in == judged,
            f"{self.after} after != {change}": self.after == after,
            f"{self.valid} valid != {actions}": self.valid == merged,
        }
        return [words for words, holds in equations.items() if not holds]
