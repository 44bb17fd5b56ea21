"""One hop, step by step: judge, stage, write, commit, merge, name. Free of Dagster, so it can be tested alone.

What a hop writes is told by a `Job` (raw, processed or features); everything that makes a publish safe is here.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from expectations.verdict import STOPPED, Verdict, report
from lake import paths
from lake.engine.errors import engine_errors
from lake.hops import gate_records
from lake.hops.events import emit
from lake.hops.gate_records import answered_before, key_of, record, record_failure, refuse, unchanged
from lake.hops.job import HopOutput, HopResult, Job
from lake.hops.published import (
    cache_published,
    ensure_named,
    find_published,
    finish_interrupted,
    finish_interrupted_at,
    inherit_notes,
)
from lake.lakefs.repository import MAIN, NotThere
from lake.ledger.repair import record_displaced_drops
from lake.runtime.circuit_breaker import Breaker
from lake.runtime.disk_errors import disk_error
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.range_hashes import keep_proofs
from lake.versions import provenance, publish
from lake.versions.publish import Candidate, Published
from lake.versions.tags import keep
from lakegate.errors import Conflict, DataRejected, Expired, IntegrityError, Transient
from lakegate.manifest import Manifest, sha256

REBASES: Final = 5
"""Times that a publish which lost a race is made again on the new head."""
Record = dict[str, Any] | None
SLOT_DIGITS: Final = 2
"""Of a cause's SHA-256: 256 slots a table, which now and then two drops share, and no lease for each drop that ever came."""


def run_hop(session: Session, job: Job, *, again: bool = False) -> HopResult:
    """Carry one drop through one hop, exactly once, whatever earlier attempts left behind and whoever else writes.

    It is judged while others publish, and published in the table's turn. Listeners are told at the end.

    Args:
        session: The open lake.
        job: What to write and judge.
        again: Judge again although a verdict under the same contract, suite, SQL, code and references is on record.

    Raises:
        Conflict: A replace lost a race; the text names what won.
        Transient: Another try may help; or so many failed lately that this one was not made.
    """
    return emit(session, job.dataset, _run_hop(session, job, again=again))


def _run_hop(session: Session, job: Job, *, again: bool) -> HopResult:
    key, home = key_of(job), session.settings.home.root
    with Breaker(session.settings, job.dataset).attempt(), _place(session, job):
        with session.lease(job.table):
            if (done := _done(session, job)) is not None:
                publish.delete_stale_candidates(session.repository, table=job.table, cause=job.cause)
                return done
            before = _record_of(session, job)
        if not again and (known := answered_before(session, job, key)) is not None:
            return known
        steps = StepTimer(job.table, session.watcher)
        try:
            with engine_errors(
                f"carrying a drop to {job.table}"
            ):  # frames ask it now and then, wherever they are made
                if job.judge is not None:
                    judged = gate_records.judge(session, job, steps)
                    if judged.result.verdict in STOPPED:
                        return refuse(session, job, key, judged)
                steps.report("queue")
                with session.lease(job.table):
                    return _publish(session, job, key, steps, before)
        except DataRejected as rejection:
            return refuse(session, job, key, gate_records.unreadable(session, job, rejection))
        except Exception as error:
            record_failure(session, job, key, disk_error(error, home) or error, steps)
            raise


def _place(session: Session, job: Job) -> contextlib.AbstractContextManager[None]:
    """The table's queue, throughout, for what is judged while it is written; else a slot, so that of several who carry one drop one judges.

    Nobody asks for a slot while he is in a table's queue.
    """
    return session.lease(job.table if job.judge is None else slot(job.table, job.cause))


def slot(table: str, cause: str) -> str:
    """The name of the queue that whoever judges a drop for a table is in."""
    return f"{table}.{cause[:SLOT_DIGITS]}"


def _done(session: Session, job: Job) -> HopResult | None:
    """What stands already, where another attempt published it. Call it in the table's queue."""
    finish_interrupted(session, job.table)
    found = find_published(session, job)
    return None if found is None else unchanged(session, job, ensure_named(session, found))


def _publish(session: Session, job: Job, key: str, steps: StepTimer, before: Record) -> HopResult:
    """Write and publish, again on the new head where somebody outside of the queue was first."""
    for rebase in range(REBASES + 1):
        try:
            return _attempt(session, job, key, steps, before, rebases=rebase)
        except (Conflict, NotThere):
            if (found := find_published(session, job)) is not None:
                return unchanged(session, job, ensure_named(session, found))
            if job.replaces or rebase == REBASES:
                raise
    raise AssertionError


def _record_of(session: Session, job: Job, *, ref: str = MAIN) -> Record:
    """What is on record about the publish of this job, whether that stands or not."""
    return session.repository.get_json(ref, paths.publication(job.dataset, job.cause, job.table))


def _attempt(
    session: Session, job: Job, key: str, steps: StepTimer, before: Record, *, rebases: int
) -> HopResult:
    repository = session.repository
    with steps.step("stage"):
        candidate = publish.stage(repository, table=job.table, dataset=job.dataset, cause=job.cause)
        steps.attempt = candidate.attempt
    with contextlib.ExitStack() as discarded:
        discarded.callback(_discard, session, candidate)
        # Whoever slept before this had no branch that its successor could have deleted: its base may hold the publish already.
        if _record_of(session, job, ref=candidate.base) != before:
            what = f"{job.table} was published for {job.cause[:12]} by another attempt, or taken back, since this one began"
            raise Conflict(what, fix="nothing to do where it is published; else run it again")
        if candidate.parent is not None:
            try:
                finish_interrupted_at(session, candidate.parent.name)
            except Expired as error:  # a table's latest version is always kept
                what = f"{candidate.parent.name} is not the latest of {job.table} any more"
                raise Conflict(
                    what, fix="nothing to do where the drop is published; else run it again"
                ) from error
        with steps.step("write"):
            written = job.write(candidate, steps)
        with steps.step("judge"):
            if (judged := gate_records.answer(session, job, written)).result.verdict in STOPPED:
                return refuse(session, job, key, judged)
            if written.counts.after and not written.files:
                what = f"{candidate.name} was approved while it was judged"
                raise Transient(what, fix="nothing was published; run it again")
            if gaps := written.counts.gaps():
                what = f"rows do not add up: {'; '.join(gaps)}"
                raise IntegrityError(
                    what,
                    where=f"{candidate.name} of drop {job.cause[:12]}",
                    fix="nothing was published; report this",
                )
        evidence = publish.evidence_bytes(
            {
                "suite": job.suite.to_gx(),
                "report": report(job.suite, written.outcomes),
                "contract": job.contract.text,
                **written.evidence,
            }
        )
        triggers = [
            item.rule.id for item in written.outcomes if item.rule.severity == "trigger" and not item.success
        ]
        decided = {"approved": judged.approved, "triggers": triggers}
        decided = {name: told for name, told in decided.items() if told}
        written = replace(
            written,
            notes=written.notes | decided,
            proofs=keep_proofs(session, candidate, written.all_files, written.proofs),
        )
        verdict = judged.result.verdict
        manifest = _manifest(
            session, job, candidate, written, verdict=verdict, seconds=steps.seconds, evidence=evidence
        )
        with steps.step("commit"):
            publish.commit(repository, candidate, manifest, evidence=evidence, key=key)
        with steps.step("merge"):
            published = publish.merge(repository, candidate, manifest)
        with steps.step("tag"), ThreadPoolExecutor(1) as pool:
            kept = pool.submit(keep, repository, published)
            repository.tag(published.name.tag, published.commit)
        with steps.step("keep"):
            kept.result()
            cache_published(session, published)
        discarded.pop_all()
    told = {"version": manifest.version, "attempt": candidate.attempt, "durations": dict(steps.seconds)}
    told |= {"rebases": rebases} if rebases else {}
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(_discard, session, candidate, published)
        record_displaced_drops(session, job.dataset, job.table, published)
        record(session, job, key, "published", told)
    gone.result()
    return replace(judged.result, version=str(published.name), content_hash=manifest.content_hash)


def _discard(session: Session, candidate: Candidate, published: Published | None = None) -> None:
    """Delete a candidate; of one that was published nothing is left to do then."""
    with contextlib.suppress(Transient):  # the next attempt at the same sweeps it
        session.repository.delete_branch(candidate.branch)
        session.swept.update([published.name] if published else [])


def _manifest(
    session: Session,
    job: Job,
    candidate: Candidate,
    written: HopOutput,
    *,
    verdict: Verdict,
    seconds: dict[str, float],
    evidence: bytes,
) -> Manifest:
    return Manifest(
        tenant=session.settings.tenant,
        table=job.table,
        version=candidate.number,
        hop=job.hop,
        drop=job.cause,
        attempt=candidate.attempt,
        root=job.root,
        files=written.files,
        quarantine=written.quarantine,
        schema=job.schema if job.hop != "raw" else [],
        content_hash=written.content_hash,
        counts=written.counts,
        verdict=str(verdict),
        rules=[item.to_json() for item in written.outcomes],
        suite_hash=job.suite.hash,
        evidence_sha256=sha256(evidence),
        contract_hash=job.contract.hash,
        sql_hash=job.sql_hash,
        parents=list(job.pins),
        source=job.source,
        delivered_at=job.delivered_at,
        extracted_at=job.source.get("extracted_at"),
        created_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        code=provenance.code() | {"project_commit": provenance.commit_of(session.settings.project)},
        packages=provenance.packages(),
        engine=session.engine.describe() if job.hop != "raw" else {},
        settings=provenance.configuration(session.settings),
        durations=dict(seconds),
        notes=inherit_notes(written.notes, candidate.parent),
        settled=written.settled,
        tombstones=written.tombstones,
        aside=written.aside,
        proofs=written.proofs,
    ).after(candidate.parent)
