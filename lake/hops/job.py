"""The plain values of a hop: the job that describes it, the output of its writer, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
_REPORTED: Final = ("rule", "family", "severity", "failed", "columns")
"""Fields of a rule's outcome that a result reports."""


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
    resolved: list[DataFile] = field(default_factory=list)
    """Files of what became of quarantined rows."""
    tombstones: list[DataFile] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    """Of files that an earlier version than the parent wrote."""
    balance: dict[str, int] = field(default_factory=dict)
    """Quarantined rows by what became of them (see `quarantine_balance`)."""

    @property
    def all_files(self) -> list[DataFile]:
        """Files of the table, its quarantine, its resolved rows and its tombstones."""
        return [*self.files, *self.quarantine, *self.resolved, *self.tombstones]


@dataclass(frozen=True)
class Job:
    """One hop of one drop: its table, cause, rules and pinned references, and the functions that do it.

    `cause` is the SHA-256 of what it is made for. `judge` runs before anything is written, on a commit of
    main and without the table's lease; `write` then writes what it judged, under the lease, and judges again
    what depends on a head that moved. A job without `judge` is judged while it is written. Both may raise
    DataRejected where a drop can't even be read.
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
    """Whether the version replaces the one before (then an older content can be published again)."""
    anew: bool = False
    """Whether a dry run looks at a delivery that would make the table an older content again."""
    depends: str = ""
    """What else the verdict depends on; a recorded verdict is repeated only while this stays the same."""

    @property
    def schema(self) -> list[dict[str, str]]:
        """Names and types of the columns, in contract order."""
        return [{"name": column.name, "type": column.type} for column in self.contract.columns]

    @property
    def file(self) -> str:
        """The name that the drop was delivered under; empty of a job without a delivery."""
        return str(self.source.get("delivered_name", ""))


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
    """Of an unchanged drop that a reprocess judged again: that version's `name` and `version`, and the drop's
    rows as `to_json` names them."""
    none_taken: bool = False
    """Whether the drop had rows, none of them became part of the table, and nobody decided on them yet."""

    def to_json(self) -> dict[str, Any]:
        """The result as `lakegate ingest --json` prints it."""
        more = {"reason": self.reason, "none_taken": self.none_taken, "standing": self.reprocessed}
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
            "rules": [{name: rule[name] for name in _REPORTED if name in rule} for rule in self.rules],
        } | {name: value for name, value in more.items() if value}


@dataclass(frozen=True)
class Replayed:
    """What a replay found: the rows that were requested, how many of them pass now, and their version."""

    dataset: str
    requested: int
    passing: int
    by_rule: dict[str, int]
    hop: HopResult | None = None

    def to_json(self) -> dict[str, Any]:
        """The result as `lakegate replay --json` prints it."""
        return {
            "dataset": self.dataset,
            "verdict": str(self.hop.verdict if self.hop else Verdict.UNCHANGED),
            "rows_in": self.requested,
            "rows_passing": self.passing,
            "rows_still_aside": self.requested - self.passing,
            "still_broken": self.by_rule,
            "version": self.hop.version if self.hop else None,
        }
