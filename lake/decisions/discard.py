"""Discard: a person decides that rows set aside never come back, with a reason, on record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.drift.version_histograms import keep_given_back
from lake.hops.gate_records import published_before
from lake.hops.job import HopOutput, HopResult, Job
from lake.hops.no_rows_taken import still_none
from lake.hops.published import finish_interrupted
from lake.hops.runner import run_hop
from lake.runtime.identity import current_user
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.data_files import table_files
from lake.tables.quarantine import (
    IDENTITY,
    filter_rows,
    latest_manifest,
    quarantine_balance,
    resolution_rows,
    unresolved_rows,
)
from lake.tables.writer import write_table
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import Counts, Manifest

if TYPE_CHECKING:
    import pyarrow as pa


def discard(
    session: Session,
    contract: Contract,
    *,
    reason: str,
    drop: str | None = None,
    rule: str | None = None,
    row: int | None = None,
) -> tuple[int, HopResult | None]:
    """Settle a dataset's open rows as discarded; returns how many, and the version that says so.

    The rows stay in the quarantine with their record; the table's data is the same in the new version.

    Raises:
        UsageError: No reason was given, nothing says which rows, or none is such.
    """
    if not reason.strip():
        raise UsageError("discarding needs a reason", fix="add --reason, which is kept with the rows")
    if (drop, rule, row) == (None, None, None):
        raise UsageError(
            "nothing says which rows to discard", fix="name them by --drop, --rule or --row (with its --drop)"
        )
    if row is not None and drop is None:
        raise UsageError("a record number alone names no row", fix="add its --drop")
    with session.lease(contract.name), session.scratch("discard") as folder:
        finish_interrupted(session, contract.name)
        parent = latest_manifest(session, contract.name)
        if parent is None:
            return 0, None
        asked: dict[str, Any] = {"drop": drop, "rule": rule, "row": row}
        try:
            chosen = filter_rows(unresolved_rows(session, parent), **asked)
        except UsageError:
            if parent.source.get("asked") != asked:
                raise
            return int(parent.source["rows"]), published_before(session, parent, "discard")
        suite = build_suite(contract, "processed", session.settings.project)
        work = _Discard(session, contract, suite, parent, folder, chosen.select(IDENTITY), reason, asked)
        return chosen.num_rows, run_hop(session, work.job())


@dataclass(frozen=True)
class _Discard:
    session: Session
    contract: Contract
    suite: Suite
    parent: Manifest
    folder: Path
    rows: pa.Table
    reason: str
    asked: dict[str, Any]
    """Which rows, as they were named."""

    def job(self) -> Job:
        """The publish: caused by these rows, on this state of the table."""
        asked = json.dumps(["discard", str(self.parent.name), self.rows.to_pylist()], sort_keys=True)
        return Job(
            hop="processed",
            table=self.contract.name,
            dataset=self.contract.name,
            cause=hashlib.sha256(asked.encode()).hexdigest(),
            root=paths.processed_table(self.contract.name),
            contract=self.contract,
            suite=self.suite,
            write=self.write,
            source={
                "discards_of": str(self.parent.name),
                "rows": self.rows.num_rows,
                "reason": self.reason,
                "by": current_user(),
                "asked": self.asked,
            },
            delivered_at=self.parent.delivered_at,
        )

    def write(self, candidate: Candidate, steps: StepTimer) -> HopOutput:
        """Add the rows' settlements; files and content are the parent's."""
        from pyarrow import parquet

        parent, count = self.parent, self.rows.num_rows
        candidate.demand_parent(parent, fix="look at the rows again, then run it again")
        steps.report("write.settled")
        parquet.write_table(self.rows, self.folder / "rows.parquet")
        engine, path = self.session.engine, paths.resolutions_table(self.contract.name)
        frame = engine.read_parquet([(self.folder / "rows.parquet").as_uri()])
        told = resolution_rows(
            frame, "discarded", version=candidate.number, attempt=candidate.attempt, reason=self.reason
        )
        write_table(
            self.session, told, ref=candidate.branch, path=path, mode="append", statistics=[DROP, ROW]
        )
        settled = table_files(self.session, candidate.branch, path, known=parent.settled)
        if sum(item.rows for item in settled) - sum(item.rows for item in parent.settled) != count:
            raise IntegrityError(
                f"{count} rows were to be discarded",
                where=str(candidate.name),
                fix="nothing was published; report this",
            )
        counts = Counts(
            0, 0, 0, 0, before=parent.counts.after, inserted=0, deleted=0, after=parent.counts.after
        )
        balance = quarantine_balance(parent, parent.quarantine, {"discarded": count})
        decided = set(self.rows.column(DROP).to_pylist())
        notes = {
            **keep_given_back(self.session, self.contract, self.suite, candidate, None),
            **still_none(parent, decided),
        }
        return HopOutput(
            (),
            counts,
            parent.files,
            parent.quarantine,
            parent.content_hash,
            notes=notes,
            settled=settled,
            aside=balance,
            tombstones=parent.tombstones,
        )
