"""What a hop answers without a publish: refused, or held until a person decides; on record, and repeated while nothing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from catalog.contract import Contract
from expectations.suite import Suite
from expectations.verdict import STOPPED, Outcome, Verdict, report, verdict_of
from lake.engine.errors import engine_errors
from lake.hops.events import emit
from lake.hops.job import NOTHING, HopOutput, HopResult, Job
from lake.hops.messages import blocked_message, held_message, no_rows_taken_message, unreadable_outcomes
from lake.hops.mostly_quarantined import MOSTLY, mostly_quarantined_message
from lake.hops.no_rows_taken import is_none_taken, still_none_of
from lake.hops.published import find_published, published_version, rebuilt_since
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.repair import SUPERSEDES
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.versions import provenance, publish
from lake.versions.origin import Origin
from lake.versions.publish import Published
from lakegate.errors import DataRejected, LakegateError, Transient
from lakegate.manifest import Manifest, Parent
from lakegate.names import VersionName

Rules = list[dict[str, Any]]
APPROVED: Final = "approved"
"""State of the record by which a person lets a held drop pass."""
REJECTED: Final = "rejected"
"""State of the record by which a person rejects a drop that was held, refused or failed."""
REMARKS: Final = "remarks"
"""In the evidence of a version: what the sender of a drop that passes may want to know."""
STATES: Final = {"blocked": Verdict.BLOCKED, "held": Verdict.HELD, REJECTED: Verdict.BLOCKED}
"""Verdicts that a record repeats."""


def key_of(job: Job) -> str:
    """What an attempt depends on, as a short hash: a verdict holds as long as this stays the same."""
    code, pins = provenance.code(), [(item.table, item.version) for item in job.pins]
    parts = [job.cause, job.hop, job.contract.hash, job.suite.hash, job.sql_hash, pins]
    parts += [code["release"], code["commit"], code["diff_sha256"], job.depends]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[: records.KEY_DIGITS]


def record(session: Session, job: Job, key: str, state: str, body: dict[str, Any]) -> None:
    """Write a ledger record of this job; that of a person's decision says what it was, as its cause is the hash of it."""
    told = {"hop": job.hop} | Origin.of(job.source).to_record()
    records.write(
        session,
        dataset=job.dataset,
        cause=job.cause,
        table=job.table,
        state=state,
        key=key,
        body={**told, **body},
    )


def record_failure(session: Session, job: Job, key: str, error: Exception, steps: StepTimer) -> None:
    """Put on record that an attempt failed: what kind of failure, at which step, and whether another try may help.

    Of an error that nobody foresaw its kind alone: its text may quote values (P6).
    """
    told = error.what if isinstance(error, LakegateError) else "an error that nobody foresaw"
    body = {
        "kind": type(error).__name__,
        "step": steps.at,
        "message": told,
        "retriable": isinstance(error, Transient),
    }
    record(session, job, key, "failed", body | {"attempt": steps.attempt, "durations": dict(steps.seconds)})


@dataclass(frozen=True)
class Answer:
    """What is said of what a job found, a version still missing, and what a person `approved` of it."""

    result: HopResult
    written: HopOutput = field(default_factory=partial(HopOutput, (), NOTHING))
    approved: dict[str, Any] = field(default_factory=dict)


def judge_hop(session: Session, job: Job, *, again: bool = False) -> Answer:
    """What `run_hop` would answer of a job that has a `judge`; nothing is published or put on record."""
    if (found := find_published(session, job)) is not None:
        return Answer(unchanged(session, job, found))
    if not again and (known := answered_before(session, job, key_of(job))) is not None:
        return Answer(known)
    return judge(session, job, StepTimer(job.table, session.watcher))


def judge(session: Session, job: Job, steps: StepTimer) -> Answer:
    """Ask the gate of a job that has a `judge`, on main as it stands."""
    if job.judge is None:
        raise ValueError(job.table)
    try:
        with engine_errors(f"carrying a drop to {job.table}"), steps.step("evaluate"):
            return answer(session, job, job.judge(session.repository.commit_of(MAIN), steps))
    except DataRejected as rejection:
        return unreadable(session, job, rejection)


def unreadable(session: Session, job: Job, rejection: DataRejected) -> Answer:
    """The refusal of a drop that can't even be opened."""
    return answer(
        session, job, HopOutput(unreadable_outcomes(job.suite, rejection), NOTHING), reason=str(rejection)
    )


def answer(session: Session, job: Job, written: HopOutput, *, reason: str = "") -> Answer:
    """The verdict on what a job found, and why, in words; a `reason` that is known refuses it."""
    approved = approval_of(session, job) if unapproved_holds(written.outcomes, ()) else {}
    waived, file = approved.get("rules", ()), str(job.source.get("delivered_name", ""))
    verdict = verdict_of(written.outcomes, quarantined=written.counts.quarantined, waived=waived)
    if reason or verdict is Verdict.BLOCKED:
        verdict, reason = (
            Verdict.BLOCKED,
            reason or blocked_message(job.contract, written.outcomes, file=file),
        )
    elif verdict is Verdict.HELD:
        reason = held_message(
            job.contract, unapproved_holds(written.outcomes, waived), cause=job.cause, file=file
        )
    else:
        reason = "; ".join(written.evidence.get(REMARKS, ()))
    rules = [item.to_json() for item in written.outcomes]
    return Answer(_result(job, verdict, written, rules, why=reason), written, approved)


def refuse(session: Session, job: Job, key: str, answer: Answer) -> HopResult:
    """Put on record that the gate refused or held the drop, with its evidence."""
    written, found, suite = answer.written, answer.result, job.suite
    file = str(job.source.get("delivered_name", ""))
    body = {"reason": found.reason, "file": file, "rules": found.rules, "counts": found.counts}
    body |= {"report": report(suite, written.outcomes), "suite": suite.to_gx(), "suite_hash": suite.hash}
    body |= {MOSTLY: written.notes[MOSTLY]} if MOSTLY in written.notes else {}
    if found.verdict is Verdict.HELD:
        held = unapproved_holds(written.outcomes, answer.approved.get("rules", ()))
        body["holding"] = sorted(item.rule.id for item in held)
    record(session, job, key, str(found.verdict), body)
    return found


def _result(
    job: Job, verdict: Verdict, of: HopOutput | Manifest, rules: Rules, *, why: str = ""
) -> HopResult:
    """What is told of a hop, whether it is published or not."""
    counts, passes = dict(vars(of.counts)), verdict not in STOPPED
    told = (
        counts if SUPERSEDES in job.source else {**counts, "deleted": 0}
    )  # a table made again corrects no file
    none_taken = no_rows_taken_message(job.table, told, rules) if passes else ""
    why = " ".join(filter(None, (why, none_taken, mostly_quarantined_message(job.table, of.notes))))
    none = passes and job.hop == "processed" and is_none_taken(counts)
    return HopResult(job.hop, job.table, verdict, None, counts, rules, why, cause=job.cause, none_taken=none)


def unchanged(session: Session, job: Job, found: Published) -> HopResult:
    """What stands already; of a drop that was judged again since, what came of that.

    An older content of a full table says how it becomes the table again. Call it in the table's queue.
    """
    name = found.name
    newest = int((publish.head(session.repository, job.table) or {}).get("version", name.number))
    result = _result(job, Verdict.UNCHANGED, found.manifest, found.manifest.rules)
    result = replace(result, version=str(name), content_hash=found.manifest.content_hash)
    if newest == name.number:
        return replace(result, none_taken=still_none_of(found.manifest, job.cause))
    latest = published_version(session, VersionName(job.table, newest)).manifest
    result = replace(
        result, reason="", none_taken=still_none_of(latest, job.cause)
    )  # rows that were set aside may have come back since
    result = result.judged_again(rebuilt_since(session, latest, name, job.cause))
    if job.replaces and (result.reprocessed or {}).get("version") != newest:
        return replace(
            result, reason=f"{job.table} is at v{newest} since; `--force` delivers this content anew"
        )
    return result


def published_before(session: Session, made: Manifest, what: str) -> HopResult:
    """What a person's decision came to that stands as the table's latest version, for whoever asks for the same again.

    Its process may have died before it told anybody.
    """
    published = published_version(session, made.name)
    reason = f"this {what} is published as {published.name}, and nothing that it depends on changed since"
    counts = publish.manifest_counts(made)
    rules, content = made.rules, made.content_hash
    found = HopResult(
        "processed", made.table, Verdict.UNCHANGED, str(made.name), counts, rules, reason, content, made.drop
    )
    return emit(session, made.table, found)


def replayed_before(
    session: Session, made: Manifest, contract: Contract, suite: Suite, pins: Sequence[Parent]
) -> HopResult | None:
    """The same of a replay under these very rules and references: what they let pass is in the latest version, where that is one."""
    same = (made.contract_hash, made.suite_hash, made.parents) == (contract.hash, suite.hash, [*pins])
    return published_before(session, made, "replay") if same and "replay_of" in made.source else None


def unapproved_holds(outcomes: Collection[Outcome], waived: Collection[str]) -> list[Outcome]:
    """The outcomes that a person has to decide on and has not."""
    return [
        item
        for item in outcomes
        if item.rule.severity == "hold" and not item.success and item.rule.id not in waived
    ]


def answered_before(session: Session, job: Job, key: str) -> HopResult | None:
    """The verdict on record, where what it depends on is still the same and nobody decided otherwise; or that a person rejected the drop."""
    newest = records.latest(session, dataset=job.dataset, cause=job.cause, table=job.table)
    if newest is None or newest.state not in STATES or (newest.key != key and newest.state != REJECTED):
        return None
    body = records.read(session, newest)
    if newest.state == "held" and set(body["holding"]) <= set(approval_of(session, job).get("rules", ())):
        return None
    counts, rules = (
        body.get("counts", {}),
        body.get("rules", []),
    )  # none where it was rejected after a failure
    return HopResult(
        job.hop, job.table, STATES[newest.state], None, counts, rules, body["reason"], cause=job.cause
    )


def approval_of(session: Session, job: Job) -> dict[str, Any]:
    """What a person let pass of this job's drop."""
    return approval(session, dataset=job.dataset, table=job.table, cause=job.cause, suite_hash=job.suite.hash)


def approval(session: Session, *, dataset: str, table: str, cause: str, suite_hash: str) -> dict[str, Any]:
    """What a person let pass of a drop since it was last published or rejected, under the rules as they are now.

    `rules`, `by`, `at` and `reason`; empty where nothing.
    """
    approved: list[dict[str, Any]] = []
    for item in records.find(session, dataset=dataset, cause=cause):
        if item.table == table and item.state in ("published", REJECTED):
            approved = []
        elif (
            item.table == table
            and item.state == APPROVED
            and (body := records.read(session, item)).get("suite_hash") == suite_hash
        ):
            approved.append(body)
    if not approved:
        return {}
    rules = sorted({rule for body in approved for rule in body["rules"]})
    return {"rules": rules} | {name: approved[-1][name] for name in ("by", "at", "reason")}
