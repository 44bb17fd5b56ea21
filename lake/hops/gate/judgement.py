"""The judgement on a job: its verdict, the reason in words, and what a person approved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from expectations.verdict import STOPPED, Outcome, Verdict, verdict_of
from lake.hops.gate.approvals import approval, unapproved_holds
from lake.hops.gate.messages import blocked_message, held_message, no_rows_taken_message, unreadable_outcomes
from lake.hops.gate.mostly_quarantined import mostly_quarantined_message
from lake.hops.gate.no_rows_taken import is_none_taken
from lake.hops.job import NOTHING, HopOutput, HopResult, Job
from lake.lakefs.repository import MAIN
from lake.ledger.repair import SUPERSEDES
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lakegate.errors import DataRejected
from lakegate.manifest import Manifest

REMARKS: Final = "remarks"
"""In the evidence of a version: what the sender of a drop that passes may want to know."""


@dataclass(frozen=True)
class Judgement:
    """The result of a job without its version, the output that it is about, and what a person decided."""

    result: HopResult
    output: HopOutput
    approved: dict[str, Any] = field(default_factory=dict)
    held: tuple[Outcome, ...] = ()
    """The outcomes that a person still has to decide on."""


def judge(session: Session, job: Job, steps: StepTimer) -> Judgement:
    """The judgement on a job that has a `judge`, on main as it is now.

    Raises:
        DataRejected: The drop can't even be read.
    """
    if job.judge is None:
        raise ValueError(job.table)
    with steps.step("evaluate"):
        return judge_output(session, job, job.judge(session.repository.commit_of(MAIN), steps))


def judge_output(session: Session, job: Job, output: HopOutput) -> Judgement:
    """The judgement on what a job found."""
    approved: dict[str, Any] = {}
    held = unapproved_holds(output.outcomes, ())
    if held:
        cause, suite_hash = job.cause, job.suite.hash
        approved = approval(session, dataset=job.dataset, table=job.table, cause=cause, suite_hash=suite_hash)
        held = unapproved_holds(held, approved.get("rules", ()))
    quarantined = output.counts.quarantined
    verdict = verdict_of(output.outcomes, quarantined=quarantined, waived=approved.get("rules", ()))
    if verdict is Verdict.BLOCKED:
        reason = blocked_message(job.contract, output.outcomes, file=job.file)
    elif verdict is Verdict.HELD:
        reason = held_message(job.contract, held, cause=job.cause, file=job.file)
    else:
        reason = "; ".join(output.evidence.get(REMARKS, ()))
    return Judgement(result_of(job, verdict, output, reason=reason), output, approved, tuple(held))


def judge_unreadable(job: Job, rejection: DataRejected) -> Judgement:
    """The refusal of a drop that can't even be read."""
    output = HopOutput(unreadable_outcomes(job.suite, rejection), NOTHING)
    return Judgement(result_of(job, Verdict.BLOCKED, output, reason=str(rejection)), output)


def result_of(job: Job, verdict: Verdict, found: HopOutput | Manifest, *, reason: str = "") -> HopResult:
    """The result of a job, without a version; its reason has what `found` notes of quarantined rows."""
    rules = found.rules if isinstance(found, Manifest) else [item.to_json() for item in found.outcomes]
    counts, passes, none = dict(vars(found.counts)), verdict not in STOPPED, ""
    if passes:
        # Only a drop that corrects another one deletes rows of a file; a table made again does not.
        of_drop = counts if SUPERSEDES in job.source else {**counts, "deleted": 0}
        none = no_rows_taken_message(job.table, of_drop, rules)
    words = (reason, none, mostly_quarantined_message(job.table, found.notes))
    return HopResult(
        job.hop,
        job.table,
        verdict,
        None,
        counts,
        rules,
        reason=" ".join(filter(None, words)),
        cause=job.cause,
        none_taken=passes and job.hop == "processed" and is_none_taken(counts),
    )
