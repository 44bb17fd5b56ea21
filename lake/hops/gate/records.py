"""The ledger's records of a job: published, refused, held or failed; and the result that one repeats."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from expectations.verdict import Verdict, report
from lake.hops.gate.approvals import REJECTED, approval
from lake.hops.gate.judgement import Judgement
from lake.hops.gate.mostly_quarantined import MOSTLY
from lake.hops.job import HopResult, Job
from lake.ledger import records
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.versions import provenance
from lake.versions.origin import Origin
from lakegate.errors import LakegateError, Transient

VERDICTS: Final = {"blocked": Verdict.BLOCKED, "held": Verdict.HELD, REJECTED: Verdict.BLOCKED}
"""The states of records whose verdict is repeated."""


def key_of(job: Job) -> str:
    """A short hash of all that a verdict on the job depends on: it holds while this stays the same."""
    code, pins = provenance.code(), [(item.table, item.version) for item in job.pins]
    parts = [job.cause, job.hop, job.contract.hash, job.suite.hash, job.sql_hash, pins]
    parts += [code["release"], code["commit"], code["diff_sha256"], job.depends]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[: records.KEY_DIGITS]


def record(session: Session, job: Job, key: str, state: str, body: dict[str, Any]) -> None:
    """Write a ledger record of this job; that of a person's decision names the decision."""
    body = {"hop": job.hop, **Origin.of(job.source).to_record(), **body}
    words = {"dataset": job.dataset, "cause": job.cause, "table": job.table}
    records.write(session, **words, state=state, key=key, body=body)


def record_failure(session: Session, job: Job, key: str, error: Exception, steps: StepTimer) -> None:
    """Record that an attempt failed: the kind of failure, its step, and whether another try may help.

    Of an error that nobody foresaw its kind alone: its text may quote values (P6).
    """
    body = {
        "kind": type(error).__name__,
        "step": steps.at,
        "message": error.what if isinstance(error, LakegateError) else "an error that nobody foresaw",
        "retriable": isinstance(error, Transient),
        "attempt": steps.attempt,
        "durations": dict(steps.seconds),
    }
    record(session, job, key, "failed", body)


def record_refusal(session: Session, job: Job, key: str, judged: Judgement) -> HopResult:
    """Record that the gate refused or held the drop, with its evidence; returns the judgement's result."""
    result, output, suite = judged.result, judged.output, job.suite
    body: dict[str, Any] = {
        "reason": result.reason,
        "file": job.file,
        "rules": result.rules,
        "counts": result.counts,
        "report": report(suite, output.outcomes),
        "suite": suite.to_gx(),
        "suite_hash": suite.hash,
    }
    if MOSTLY in output.notes:
        body[MOSTLY] = output.notes[MOSTLY]
    if result.verdict is Verdict.HELD:
        body["holding"] = sorted(item.rule.id for item in judged.held)
    record(session, job, key, str(result.verdict), body)
    return result


def recorded_result(session: Session, job: Job, key: str) -> HopResult | None:
    """The result on record while all that it depends on is the same, or after a rejection; else None."""
    words = {"dataset": job.dataset, "cause": job.cause, "table": job.table}
    newest = records.latest(session, **words)
    if newest is None or newest.state not in VERDICTS or (newest.key != key and newest.state != REJECTED):
        return None
    body = records.read(session, newest)
    if newest.state == "held":
        approved = approval(session, **words, suite_hash=job.suite.hash)
        if set(body["holding"]) <= set(approved.get("rules", ())):
            return None
    counts, rules = (
        body.get("counts", {}),
        body.get("rules", []),
    )  # none of a drop that was rejected after a failure
    verdict, reason = VERDICTS[newest.state], body["reason"]
    return HopResult(job.hop, job.table, verdict, None, counts, rules, reason, cause=job.cause)
