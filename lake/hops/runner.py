"""One hop, step by step: judge, stage, write, commit, merge, name; without Dagster.

A `Job` says what a hop writes (raw, processed or features); everything that makes a publish safe is here.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from expectations.verdict import STOPPED
from lake import paths
from lake.engine.errors import engine_errors
from lake.hops.events import emit
from lake.hops.gate.judgement import Judgement, judge, judge_output, judge_unreadable
from lake.hops.gate.published_before import unchanged
from lake.hops.gate.records import key_of, record, record_failure, record_refusal, recorded_result
from lake.hops.job import HopOutput, HopResult, Job
from lake.hops.published import (
    cache_published,
    ensure_named,
    find_published,
    finish_interrupted,
    finish_interrupted_at,
)
from lake.hops.version_manifest import make_manifest
from lake.lakefs.repository import MAIN, NotThere
from lake.ledger.repair import record_displaced_drops
from lake.runtime.circuit_breaker import Breaker
from lake.runtime.disk_errors import disk_error
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.versions import publish
from lake.versions.publish import Candidate, Published
from lake.versions.tags import keep
from lakegate.errors import Conflict, DataRejected, Expired, IntegrityError, Transient

REBASES: Final = 5
"""Times that a publish which lost a race is made again on the new head."""
Record = dict[str, Any] | None
SLOT_DIGITS: Final = 2
"""Digits of a cause's SHA-256 that name its slot: 256 leases a table, and not one for each drop."""


def run_hop(session: Session, job: Job, *, again: bool = False) -> HopResult:
    """Run one hop of one drop exactly once, whatever earlier attempts left behind and whoever else writes.

    The drop is judged while others publish, and published under the table's lease. The hop's event comes
    last.

    Args:
        session: The open lake.
        job: What to write and judge.
        again: Judge again although a verdict under the same contract, suite, SQL, code and references is on
            record.

    Raises:
        Conflict: A replace lost a race; the text names what won.
        Transient: Another try may help; or so many failed lately that this one was not made.
    """
    # A job that is judged while it is written holds the table's lease throughout. Any other one holds a slot:
    # of several processes with one drop one judges it. No process waits for a slot with a table's lease.
    place = job.table if job.judge is None else slot(job.table, job.cause)
    with Breaker(session.settings, job.dataset).attempt(), session.lease(place):
        result = _run(session, job, again=again)
    return emit(session, job.dataset, result)


def slot(table: str, cause: str) -> str:
    """The name of the lease under which a drop is judged for a table."""
    return f"{table}.{cause[:SLOT_DIGITS]}"


def _run(session: Session, job: Job, *, again: bool) -> HopResult:
    key = key_of(job)
    with session.lease(job.table):
        finish_interrupted(session, job.table)
        if (done := _done(session, job)) is not None:
            publish.delete_stale_candidates(session.repository, table=job.table, cause=job.cause)
            return done
        before = _publication(session, job)
    if not again and (known := recorded_result(session, job, key)) is not None:
        return known
    steps = StepTimer(job.table, session.watcher)
    try:
        with engine_errors(f"carrying a drop to {job.table}"):  # frames are evaluated anywhere in here
            if job.judge is not None:
                judged = judge(session, job, steps)
                if judged.result.verdict in STOPPED:
                    return record_refusal(session, job, key, judged)
            steps.report("queue")
            with session.lease(job.table):
                return _publish(session, job, key, steps, before)
    except DataRejected as rejection:
        return record_refusal(session, job, key, judge_unreadable(job, rejection))
    except Exception as error:
        record_failure(session, job, key, disk_error(error, session.settings.home.root) or error, steps)
        raise


def _done(session: Session, job: Job) -> HopResult | None:
    """The result of a job that another attempt published; needs the table's lease."""
    found = find_published(session, job)
    return None if found is None else unchanged(session, job, ensure_named(session, found))


def _publication(session: Session, job: Job, *, ref: str = MAIN) -> Record:
    """The record of this job's publish, whether that was withdrawn since or not."""
    return session.repository.get_json(ref, paths.publication(job.dataset, job.cause, job.table))


def _publish(session: Session, job: Job, key: str, steps: StepTimer, before: Record) -> HopResult:
    """Write and publish; where another writer moved the head without the lease, again on the new head."""
    for rebases in range(REBASES + 1):
        try:
            return _attempt(session, job, key, steps, before, rebases=rebases)
        except (Conflict, NotThere):
            if (done := _done(session, job)) is not None:
                return done
            if job.replaces or rebases == REBASES:
                raise
    raise AssertionError


def _attempt(
    session: Session, job: Job, key: str, steps: StepTimer, before: Record, *, rebases: int
) -> HopResult:
    with steps.step("stage"):
        candidate = publish.stage(session.repository, table=job.table, dataset=job.dataset, cause=job.cause)
        steps.attempt = candidate.attempt
    with contextlib.ExitStack() as unpublished:
        unpublished.callback(_delete, session, candidate)
        _check_base(session, job, candidate, before)
        with steps.step("write"):
            output = job.write(candidate, steps)
        with steps.step("judge"):
            judged = judge_output(session, job, output)
            if judged.result.verdict in STOPPED:
                return record_refusal(session, job, key, judged)
            _check_output(job, candidate, output)
        published = _merge(session, job, candidate, judged, steps, key=key)
        unpublished.pop_all()
    manifest = published.manifest
    body = {"version": manifest.version, "attempt": candidate.attempt, "durations": dict(steps.seconds)}
    if rebases:
        body["rebases"] = rebases
    with ThreadPoolExecutor(1) as pool:
        deleted = pool.submit(_delete, session, candidate, published)
        record_displaced_drops(session, job.dataset, job.table, published)
        record(session, job, key, "published", body)
    deleted.result()
    return replace(judged.result, version=str(published.name), content_hash=manifest.content_hash)


def _check_base(session: Session, job: Job, candidate: Candidate, before: Record) -> None:
    """Finish the candidate's parent, and refuse a base that already has a publish of this job.

    The branch of a process that slept before it staged could not be deleted by its successor, so its base may
    have the successor's publish.

    Raises:
        Conflict: The base has another publish of the job than main had at the start, or its parent expired.
    """
    if _publication(session, job, ref=candidate.base) != before:
        what = f"{job.table} was published for {job.cause[:12]} by another attempt, "
        what += "or taken back, since this one began"
        raise Conflict(what, fix="nothing to do where it is published; else run it again")
    if candidate.parent is not None:
        try:
            finish_interrupted_at(session, candidate.parent.name)
        except Expired as error:  # retention never expires a table's latest version
            what = f"{candidate.parent.name} is not the latest of {job.table} any more"
            fix = "nothing to do where the drop is published; else run it again"
            raise Conflict(what, fix=fix) from error


def _check_output(job: Job, candidate: Candidate, output: HopOutput) -> None:
    """Refuse to publish what was not written, or rows that do not add up.

    Raises:
        Transient: A person approved the drop after it was judged, so its rows were not written.
        IntegrityError: The counts of the rows contradict each other.
    """
    if output.counts.after and not output.files:
        what = f"{candidate.name} was approved while it was judged"
        raise Transient(what, fix="nothing was published; run it again")
    if gaps := output.counts.gaps():
        what, where = f"rows do not add up: {'; '.join(gaps)}", f"{candidate.name} of drop {job.cause[:12]}"
        raise IntegrityError(what, where=where, fix="nothing was published; report this")


def _merge(
    session: Session, job: Job, candidate: Candidate, judged: Judgement, steps: StepTimer, *, key: str
) -> Published:
    """Commit the candidate with its manifest, merge it, and name the version."""
    repository = session.repository
    manifest, evidence = make_manifest(session, job, candidate, judged, steps.seconds)
    with steps.step("commit"):
        publish.commit(repository, candidate, manifest, evidence=evidence, key=key)
    with steps.step("merge"):
        published = publish.merge(repository, candidate, manifest)
    with steps.step("tag"), ThreadPoolExecutor(1) as pool:
        retained = pool.submit(keep, repository, published)
        repository.tag(published.name.tag, published.commit)
    with steps.step("keep"):
        retained.result()
        return cache_published(session, published)


def _delete(session: Session, candidate: Candidate, published: Published | None = None) -> None:
    """Delete the candidate's branch; of a `published` version no other candidate is left to delete."""
    with contextlib.suppress(Transient):  # the next attempt at the same job deletes it
        session.repository.delete_branch(candidate.branch)
        if published is not None:
            session.swept.add(published.name)
