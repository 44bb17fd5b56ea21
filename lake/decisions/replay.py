"""Replay: quarantined rows, judged again under the contract and the references as they are now.

A row that passes becomes part of a new version, under the drop and record number that it came with; the
quarantine keeps the row, with its resolution. A row that still fails stays quarantined.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.typed_frame import DROP, ROW
from lake.decisions.decision import Decision, cause_of, latest_version
from lake.decisions.replay_judging import JudgedAgain, judge_again
from lake.drift.version_histograms import keep_of_decision
from lake.hops.evaluate import pin_references
from lake.hops.gate.no_rows_taken import NOTE, still_none
from lake.hops.gate.published_before import replayed_before
from lake.hops.gate.schema_check import check_columns
from lake.hops.job import HopOutput, Job, Replayed
from lake.hops.runner import run_hop
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.change import change_of, write_change, written
from lake.tables.quarantine import Resolution, filter_rows, unresolved_rows, without
from lake.versions.publish import Candidate
from lakegate.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


def replay(
    session: Session,
    contract: Contract,
    *,
    drop: str | None = None,
    rule: str | None = None,
    dry_run: bool = False,
) -> Replayed:
    """Judge a dataset's open rows again and publish those that pass.

    Args:
        session: The open lake.
        contract: The dataset's contract, as it is now.
        drop: Only rows of this drop: its SHA-256 or the beginning of it.
        rule: Only rows that this rule quarantined.
        dry_run: Judge, and publish nothing.

    Raises:
        UsageError: No quarantined row came of that drop, or broke that rule.
        ContractError: The contract's columns are not those of the table.
    """
    check_columns(session, contract, gives_back=True)
    with latest_version(session, contract) as parent, session.scratch("replay") as folder:
        if parent is None:
            return Replayed(contract.name, 0, 0, {})
        rows = unresolved_rows(session, parent)
        decision = Decision(session, contract, parent, pin_references(session, contract))
        done = None if dry_run else replayed_before(session, parent, contract, decision.suite, decision.pins)
        try:
            chosen = filter_rows(rows, drop=drop, rule=rule)
        except UsageError:
            if done is None:
                raise
            chosen = rows.slice(0, 0)
        if not chosen.num_rows:
            return Replayed(contract.name, 0, 0, {}, done)
        judged = judge_again(decision, rows, chosen, folder)
        if not dry_run and judged.passed.count:
            done = run_hop(session, _job(decision, chosen, judged, folder))
        return Replayed(contract.name, chosen.num_rows, judged.passed.count, judged.still_broken, done)


def _job(decision: Decision, chosen: pa.Table, judged: JudgedAgain, folder: Path) -> Job:
    """The publish of the rows that pass: caused by the rows, and the state of table, rules and references."""
    contract, parent = decision.contract, str(decision.parent.name)
    counted = chosen.group_by(DROP).aggregate([(ROW, "count")]).to_pylist()
    per_drop = {item[DROP]: item[f"{ROW}_count"] for item in counted}
    pins = [vars(pin) for pin in decision.pins]
    return decision.job(
        cause_of(["replay", parent, per_drop, contract.hash, decision.suite.hash, pins]),
        {
            **contract.source,
            "replay_of": parent,
            "rows_asked_for": per_drop,
            "rows_passing": judged.passed.count,
        },
        partial(_write, decision, judged, folder),
    )


def _write(
    decision: Decision, judged: JudgedAgain, folder: Path, candidate: Candidate, steps: StepTimer
) -> HopOutput:
    """Add the rows that pass to the table, and their resolutions to the quarantine's.

    On an upsert table a row that is older than the published one of its key is superseded.
    """
    session, contract, parent, passed = decision.session, decision.contract, decision.parent, judged.passed
    candidate.demand_parent(parent, fix="run the replay again: it is judged against what is published now")
    change = change_of(session, contract, passed, candidate, folder=folder, gives_back=True)
    steps.report("write.table")
    added = write_change(session, contract, change, candidate)
    steps.report("write.settled")
    late = change.counts.outdated
    resolved: dict[Resolution, tuple[DataFrame, int]] = {}
    if late < passed.count:
        taken = passed.rows if change.outdated is None else without(passed.rows, change.outdated)
        resolved["replayed"] = taken, passed.count - late
    if change.outdated is not None:
        resolved["superseded"] = change.outdated, late
    files, balance = decision.resolve(candidate, resolved)
    notes = keep_of_decision(
        session, contract, decision.suite, candidate, parent=candidate.parent, rows=passed.rows
    )
    drops = session.engine.rows(passed.rows.select(DROP).distinct()) if parent.notes.get(NOTE) else ()
    tables = written(session, contract, change, candidate, added=added, fresh=False)
    return HopOutput(
        judged.outcomes,
        change.counts,
        tables.files,
        parent.quarantine,
        tables.content,
        notes={**notes, **still_none(parent, [drop for (drop,) in drops])},
        resolved=files,
        balance=balance,
        tombstones=tables.tombstones,
    )
