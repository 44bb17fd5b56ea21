"""What a hop is told and what it answers: plain values, shared by whoever carries drops and whoever shows results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from catalog.contract import Contract, Hop
from expectations.suite import Suite
from expectations.verdict import Outcome, Verdict
from lake.runtime.step_timer import StepTimer
from lake.versions.publish import Candidate
from lakegate.manifest import Counts, DataFile, Parent, Proof
from lakegate.names import VersionName

NOTHING: Final = Counts(0, 0, 0, 0, before=0, inserted=0, deleted=0, after=0)
"""The counts of a delivery that could not be opened."""

_TOLD: Final = ("rule", "family", "severity", "failed", "columns")
"""What a result tells of each rule."""


@dataclass(frozen=True)
class HopOutput:
    """What a job wrote on its candidate and found about it; a blocked job may have written nothing."""

    outcomes: tuple[Outcome, ...]
    counts: Counts
    files: list[DataFile] = field(default_factory=list)
    quarantine: list[DataFile] = field(default_factory=list)
    content_hash: str = ""
    notes: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    settled: list[DataFile] = field(default_factory=list)
    tombstones: list[DataFile] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    """Of files that an earlier version than the parent wrote."""
    aside: dict[str, int] = field(default_factory=dict)

    @property
    def all_files(self) -> list[DataFile]:
        """Files of the table, its quarantine, its settlements and its tombstones."""
        return [*self.files, *self.quarantine, *self.settled, *self.tombstones]


@dataclass(frozen=True)
class Job:
    """One hop of one drop: which table, why, under which rules and pinned references, and how it is written.

    `cause` is the SHA-256 of what it is made for. `judge` is asked before anything is written, of a commit of main and while others
    publish; `write` then writes what it judged, in the table's turn, and judges again what depends on a head that moved. A job
    without it is judged while it is written. Both may raise DataRejected where a drop can't even be read.
    """

    hop: Hop
    table: str
    dataset: str
    cause: str
    root: str
    contract: Contract
    suite: Suite
    write: Callable[[Candidate, StepTimer], HopOutput]
    pins: tuple[Parent, ...] = ()
    sql_hash: str | None = None
    source: dict[str, Any] = field(default_factory=dict)
    delivered_at: str | None = None
    judge: Callable[[str, StepTimer], HopOutput] | None = None
    replaces: bool = False
    """Whether the version takes the place of the one before (then an older content can be published again)."""
    anew: bool = False
    """Whether a dry run looks at a delivery that would make the table an older content again."""
    depends: str = ""
    """Whatever else the verdict depends on, so that a blocked one is repeated only while it stays the same."""

    @property
    def schema(self) -> list[dict[str, str]]:
        """Names and types of the columns, in contract order."""
        return [{"name": column.name, "type": column.type} for column in self.contract.columns]


@dataclass(frozen=True)
class HopResult:
    """The outcome of one hop; `version` is the published version's name, or None."""

    hop: Hop
    table: str
    verdict: Verdict
    version: str | None
    counts: dict[str, int]
    rules: list[dict[str, Any]]
    reason: str = ""
    content_hash: str = ""
    cause: str = ""
    reprocessed: dict[str, Any] | None = None
    """Of an unchanged drop that a reprocess judged again: `name` of the version that did, `version`, and its rows as `to_json` names them."""

    none_taken: bool = False
    """Whether the drop had rows, none of them became part of the table, and nobody decided on them yet."""

    def judged_again(self, standing: dict[str, Any] | None) -> HopResult:
        """The same, of a drop that was judged again since (None: it wasn't)."""
        if standing is None:
            return self
        return replace(
            self,
            reprocessed=standing,
            reason=f"published as {self.version}, judged again by the reprocess {standing['name']}",
        )

    def to_json(self) -> dict[str, Any]:
        """The result as `lakegate ingest --json` prints it."""
        return {
            "hop": self.hop,
            "table": self.table,
            "verdict": str(self.verdict),
            "version": VersionName.parse(self.version).number if self.version else None,
            "name": self.version,
            "rows_in": self.counts.get("records_in", 0),
            "rows_valid": self.counts.get("valid", 0),
            "rows_quarantined": self.counts.get("quarantined", 0),
            "rows_unreadable": self.counts.get("unreadable", 0),
            "rules": [{name: rule[name] for name in _TOLD if name in rule} for rule in self.rules],
        } | {
            name: told
            for name, told in (
                ("reason", self.reason),
                ("none_taken", self.none_taken),
                ("standing", self.reprocessed),
            )
            if told
        }


@dataclass(frozen=True)
class Replayed:
    """What a replay found: open rows that were asked for, how many of them pass now, and the version they became part of."""

    dataset: str
    asked: int
    passing: int
    by_rule: dict[str, int]
    hop: HopResult | None = None

    def to_json(self) -> dict[str, Any]:
        """The result as `lakegate replay --json` prints it."""
        version = self.hop.version if self.hop else None
        return {
            "dataset": self.dataset,
            "verdict": str(self.hop.verdict if self.hop else Verdict.UNCHANGED),
            "rows_in": self.asked,
            "rows_passing": self.passing,
            "rows_still_aside": self.asked - self.passing,
            "still_broken": self.by_rule,
            "version": version,
        }
