"""What made a version, by its manifest: a drop, the inputs of a feature table, or a person's decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ROLLS_BACK: Final = "rolls_back"
"""In the source of a manifest: the version that was the latest before, where a rollback made this one."""
TO: Final = "to"
"""Beside it: the version whose state it is."""
DECISIONS: Final = {
    "replay_of": ("replay", "replay_of"),
    "discards_of": ("discard", "discards_of"),
    ROLLS_BACK: ("rollback", TO),
    "reprocesses": ("reprocess", "reprocesses"),
}
"""By key in the source of a version that a decision made: the decision, and the key of its version."""
NO_DELIVERY: Final = frozenset(DECISIONS)


@dataclass(frozen=True)
class Origin:
    """`made_by` is drop, inputs, replay, discard, rollback or reprocess.

    `made_from` names the version or versions; it is empty for a drop. `reason` is the person's, where one is
    required.
    """

    made_by: str
    made_from: str
    reason: str = ""

    @classmethod
    def of(cls, source: Mapping[str, Any]) -> Origin:
        """From the source of a manifest, or of a job."""
        for key, (made_by, named) in DECISIONS.items():
            if key in source:
                return cls(made_by, str(source.get(named, "")), str(source.get("reason", "")))
        return cls("inputs", str(source["cause"])) if "cause" in source else cls("drop", "")

    @property
    def decided(self) -> bool:
        """Whether a person's decision made the version."""
        return self.made_by not in ("drop", "inputs")

    def to_record(self) -> dict[str, str]:
        """A decision's fields in a ledger record; none for a drop or inputs: its cause names them."""
        if not self.decided:
            return {}
        record = {"made_by": self.made_by, "made_from": self.made_from}
        return record | {"reason": self.reason} if self.reason else record

    def __str__(self) -> str:
        """For a person: `drop`, `flights@v12`, `rollback to v6`, `replay of v3`."""
        if not self.decided:
            return self.made_from or self.made_by
        preposition = "to" if self.made_by == "rollback" else "of"
        return f"{self.made_by} {preposition} {self.made_from.rpartition('@')[2]}"
