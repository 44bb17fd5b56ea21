"""One hop, step by step: stage, write, judge, commit, merge, name. Free of Dagster, so it can be tested alone.

What a hop writes is told by a `Job` (raw, processed or features); everything that makes a publish safe is here.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from expectations.verdict import Verdict, report, verdict_of
from lake import ledger, provenance, publish
from lake.answers import answered_before, approval_of, holding, record, refuse
from lake.job import NOTHING, HopResult, Job, Written
from lake.publish import Candidate, Published
from lake.receive import is_pending
from lake.refusal import unread
from lake.repository import NotThere
from lake.session import Session
from lake.steps import Steps
from lakegate.errors import Conflict, DataRejected, IntegrityError, LakegateError, Transient
from lakegate.manifest import Manifest, sha256
from lakegate.names import VersionName

REBASES: Final = 5
"""Times that a publish which lost a race is made again on the new head."""


def run_hop(session: Session, job: Job, *, again: bool = False) -> HopResult:
    """Carry one drop through one hop, exactly once, whatever earlier attempts left behind.

    Args:
        session: The open lake.
        job: What to write and judge.
        again: Judge again although a verdict under the same contract, suite, SQL, code and references is on record.

    Raises:
        Conflict: A replace lost a race; the text names what won.
    """
    key = ledger.key_of(
        cause=job.cause, hop=job.hop, contract=job.contract, suite=job.suite, sql=job.sql_hash, pins=job.pins, depends=job.depends
    )
    with session.queue(job.table):
        resume(session, job.table)
        if (found := standing(session, job)) is not None:
            publish.sweep(session.repository, table=job.table, cause=job.cause)
            return _unchanged(session, job, finish(session, found))
        if not again and (known := answered_before(session, job, key)) is not None:
            return known
        for rebase in range(REBASES + 1):
            try:
                return _attempt(session, job, key)
            except (Conflict, NotThere) as conflict:
                if (found := standing(session, job)) is not None:
                    return _result(job, finish(session, found), Verdict.UNCHANGED)
                if job.replaces or rebase == REBASES:
                    record(session, job, key, "failed", {"kind": type(conflict).__name__, "message": str(conflict)})
                    raise
            except LakegateError as error:
                record(session, job, key, "failed", {"kind": type(error).__name__, "message": error.what})
                raise
    raise AssertionError


def resume(session: Session, table: str) -> None:
    """Finish the table's latest version, where an attempt died between merge and tag. Call it in the table's queue."""
    if (head := publish.head(session.repository, table)) is not None:
        name = VersionName(table, int(head["version"]))
        if name not in session.swept:
            publish.sweep(session.repository, table=table, cause=finished(session, name).manifest.drop)
            session.swept.add(name)


def standing(session: Session, job: Job) -> Published | None:
    """The publish of this job that stands on main, where there is one (its tag may still be missing)."""
    name = stands(session, dataset=job.dataset, cause=job.cause, table=job.table, replaces=job.replaces)
    return None if name is None else publish.recover(session.repository, name)


def stands(session: Session, *, dataset: str, cause: str, table: str, replaces: bool) -> VersionName | None:
    """The version that a drop was published as, unless it was delivered anew to a table that holds another one since.

    That an older content of a replace table is to be published again is told by its pending marker, and by nothing else: a
    delivery is used up by one publish.
    """
    done = publish.publication(session.repository, dataset=dataset, cause=cause, table=table)
    if done is None:
        return None
    if replaces and (publish.head(session.repository, table) or {}).get("cause") != cause and is_pending(session, dataset, cause):
        return None
    return VersionName(table, int(done["version"]))


def finish(session: Session, published: Published) -> Published:
    """The steps after the merge, each harmless when done again: tag, retention branch, the home's copy."""
    publish.give_name(session.repository, published)
    session.copy_manifest(published.manifest)
    session.finished[published.name] = published
    return published


def finished(session: Session, name: VersionName) -> Published:
    """A version that main names, with the steps after its merge done, by whichever attempt.

    Raises:
        IntegrityError: No merge commit published it, or its tag or branch is on another commit.
    """
    return session.finished.get(name) or finish(session, publish.recover(session.repository, name))


def _attempt(session: Session, job: Job, key: str) -> HopResult:
    repository, steps = session.repository, Steps(job.table, session.watcher)
    with steps.step("stage"):
        candidate = publish.stage(repository, table=job.table, dataset=job.dataset, cause=job.cause)
    try:
        try:
            with steps.step("write"):
                written = job.write(candidate, steps)
        except DataRejected as rejection:
            return refuse(session, job, key, Written(unread(job.suite, rejection), NOTHING), reason=str(rejection))
        with steps.step("judge"):
            approved = approval_of(session, job) if holding(written.outcomes, ()) else {}
            waived = approved.get("rules", ())
            verdict = verdict_of(written.outcomes, set_aside=written.counts.quarantined, waived=waived)
            if verdict in (Verdict.BLOCKED, Verdict.HELD):
                return refuse(session, job, key, written, waived=waived)
            if gaps := written.counts.gaps():
                what = f"rows do not add up: {'; '.join(gaps)}"
                raise IntegrityError(what, where=f"{candidate.name} of drop {job.cause[:12]}", fix="nothing was published; report this")
        evidence = publish.evidence_bytes(
            {
                "suite": job.suite.to_gx(),
                "report": report(job.suite, written.outcomes),
                "contract": job.contract.text,
                **written.evidence,
            }
        )
        triggers = [item.rule.id for item in written.outcomes if item.rule.severity == "trigger" and not item.success]
        decided = ({"approved": approved} if approved else {}) | ({"triggers": triggers} if triggers else {})
        written = replace(written, notes=written.notes | decided)
        manifest = _manifest(session, job, candidate, written, verdict=verdict, seconds=steps.seconds, evidence=evidence)
        with steps.step("commit"):
            publish.commit(repository, candidate, manifest, evidence=evidence)
        with steps.step("merge"):
            published = publish.merge(repository, candidate, manifest)
        with steps.step("tag"):
            repository.tag(published.name.tag, published.commit)
        with steps.step("keep"):
            finish(session, published)
    finally:
        with contextlib.suppress(Transient):  # the next attempt at the same sweeps it
            repository.delete_branch(candidate.branch)
    late = {name: steps.seconds[name] for name in ("commit", "merge", "tag", "keep")}
    record(session, job, key, "published", {"version": manifest.version, "attempt": candidate.attempt, "durations": late})
    return _result(job, published, verdict)


def _manifest(
    session: Session, job: Job, candidate: Candidate, written: Written, *, verdict: Verdict, seconds: dict[str, float], evidence: bytes
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
        notes=written.notes,
        settled=written.settled,
        aside=written.aside,
    )


def _unchanged(session: Session, job: Job, found: Published) -> HopResult:
    """What stands already; an older content of a full table says how it becomes the table again."""
    newest = int((publish.head(session.repository, job.table) or {}).get("version", found.name.number))
    told = (
        f"{job.table} is at v{newest} since; `--again` delivers this content anew" if job.replaces and newest != found.name.number else ""
    )
    return replace(_result(job, found, Verdict.UNCHANGED), reason=told)


def _result(job: Job, published: Published, verdict: Verdict) -> HopResult:
    manifest = published.manifest
    return HopResult(
        job.hop,
        job.table,
        verdict,
        str(published.name),
        publish.manifest_counts(manifest),
        manifest.rules,
        content_hash=manifest.content_hash,
        cause=job.cause,
    )
