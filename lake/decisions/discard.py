"""Discard: a person decides that quarantined rows never come back, with a reason, on record.

The rows stay in the quarantine. Their resolution is published in a new version, whose data is that of the one
before.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.contract import Contract
from expectations.typed_frame import DROP
from lake.decisions.decision import Decision, cause_of, demand_reason, latest_version
from lake.drift.version_histograms import keep_of_decision
from lake.hops.gate.no_rows_taken import still_none
from lake.hops.gate.published_before import published_before
from lake.hops.job import HopOutput, HopResult
from lake.hops.runner import run_hop
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.quarantine import IDENTITY, filter_rows, unresolved_rows
from lake.versions.publish import Candidate
from lakegate.errors import UsageError
from lakegate.manifest import Counts

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
    """Discard open rows of a dataset's quarantine.

    Args:
        session: The open lake.
        contract: The dataset's contract.
        reason: Why, stored with the rows.
        drop: Rows of this drop: its SHA-256 or the beginning of it.
        rule: Rows that this rule quarantined.
        row: The record of `drop` with this number.

    Returns:
        How many rows were discarded, and the version that says so.

    Raises:
        UsageError: No reason was given, nothing says which rows, or there is no such row.
    """
    demand_reason(reason, "discarding")
    requested: dict[str, Any] = {"drop": drop, "rule": rule, "row": row}
    if (drop, rule, row) == (None, None, None):
        fix = "name them by --drop, --rule or --row (with its --drop)"
        raise UsageError("nothing says which rows to discard", fix=fix)
    if row is not None and drop is None:
        raise UsageError("a record number alone names no row", fix="add its --drop")
    with latest_version(session, contract) as parent, session.scratch("discard") as folder:
        if parent is None:
            return 0, None
        try:
            chosen = filter_rows(unresolved_rows(session, parent), **requested)
        except UsageError:
            if parent.source.get("asked") != requested:
                raise
            return int(parent.source["rows"]), published_before(session, parent, "discard")
        rows, decision = chosen.select(IDENTITY), Decision(session, contract, parent)
        job = decision.job(
            cause_of(["discard", str(parent.name), rows.to_pylist()]),
            {
                "discards_of": str(parent.name),
                "rows": rows.num_rows,
                "reason": reason,
                "asked": requested,
            },
            partial(_write, decision, rows, folder, reason=reason),
        )
        return rows.num_rows, run_hop(session, job)


def _write(
    decision: Decision, rows: pa.Table, folder: Path, candidate: Candidate, steps: StepTimer, *, reason: str
) -> HopOutput:
    """Add the rows' resolution; files and content are the parent's."""
    from pyarrow import parquet

    session, parent = decision.session, decision.parent
    candidate.demand_parent(parent, fix="look at the rows again, then run it again")
    steps.report("write.settled")
    parquet.write_table(rows, folder / "rows.parquet")
    frame = session.engine.read_parquet([(folder / "rows.parquet").as_uri()])
    resolved, balance = decision.resolve(candidate, {"discarded": (frame, rows.num_rows)}, reason=reason)
    notes = keep_of_decision(
        session, decision.contract, decision.suite, candidate, parent=candidate.parent, rows=None
    )
    size = parent.counts.after
    return HopOutput(
        (),
        Counts(0, 0, 0, 0, before=size, inserted=0, deleted=0, after=size),
        parent.files,
        parent.quarantine,
        parent.content_hash,
        notes={**notes, **still_none(parent, set(rows.column(DROP).to_pylist()))},
        resolved=resolved,
        balance=balance,
        tombstones=parent.tombstones,
    )
