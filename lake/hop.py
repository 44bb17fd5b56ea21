"""One hop, step by step: stage, write, judge, commit, publish, name. Free of Dagster, so it can be tested alone.

What a hop writes is told by a `Job` (raw, processed or features); everything that makes a publish safe is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from catalog.contract import Contract, Hop
from expectations.suite import Suite
from expectations.verdict import Outcome, Verdict, report, verdict_of
from lake import ledger, provenance, publish
from lake.publish import Candidate, Published
from lake.session import Session
from lake.steps import Steps
from lakegate.errors import Conflict, DataRejected, IntegrityError, LakegateError
from lakegate.manifest import Counts, DataFile, Manifest, Parent
from lakegate.names import VersionName

REBASES: Final = 5
"""Times that a publish which lost a race is made again on the new head."""


NAMED: Final = 8
"""Most missing columns that a reason lists."""


NOTHING: Final = Counts(0, 0, 0, 0, before=0, inserted=0, deleted=0, after=0)
"""The counts of a delivery that could not be opened."""


@dataclass(frozen=True)
class Written:
    """What a job wrote on its candidate and found about it; a blocked job may have written nothing."""

    outcomes: tuple[Outcome, ...]
    counts: Counts
    files: list[DataFile] = field(default_factory=list)
    quarantine: list[DataFile] = field(default_factory=list)
    content_hash: str = ""
    notes: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One hop of one drop: which table, why, under which rules and pinned references, and how it is written.

    `cause` is the SHA-256 of what it is made for. `write` may raise DataRejected where a drop can't even be read.
    """

    hop: Hop
    table: str
    dataset: str
    cause: str
    root: str
    contract: Contract
    suite: Suite
    write: Callable[[Candidate, Steps], Written]
    pins: tuple[Parent, ...] = ()
    sql_hash: str | None = None
    source: dict[str, Any] = field(default_factory=dict)
    delivered_at: str | None = None
    replaces: bool = False
    """Whether the version takes the place of the one before (then an older content can be published again)."""
    depends: str = ""
    """Whatever else the verdict depends on, so that a blocked one is repeated only while it stays the same."""

    @property
    def schema(self) -> list[dict[str, str]]:
        """Names and types of the columns, in contract order."""
        return [{"name": column.name, "type": column.type} for column in self.contract.columns]


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

    def to_json(self) -> dict[str, Any]:
        """The result as `lakegate ingest --json` prints it."""
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
            "rules": self.rules,
        } | ({"reason": self.reason} if self.reason else {})


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
        if (found := standing(session, job)) is not None:
            return _result(job, finish(session, found), Verdict.UNCHANGED)
        if not again and (known := _blocked_before(session, job, key)) is not None:
            return known
        for rebase in range(REBASES + 1):
            try:
                return _attempt(session, job, key)
            except Conflict as conflict:
                if (found := standing(session, job)) is not None:
                    return _result(job, finish(session, found), Verdict.UNCHANGED)
                if job.replaces or rebase == REBASES:
                    record(session, job, key, "failed", {"kind": "Conflict", "message": str(conflict)})
                    raise
            except LakegateError as error:
                record(session, job, key, "failed", {"kind": type(error).__name__, "message": error.what})
                raise
    raise AssertionError


def standing(session: Session, job: Job) -> Published | None:
    """The publish of this job that stands on main, where there is one (its tag may still be missing)."""
    done = publish.publication(session.repository, dataset=job.dataset, cause=job.cause, table=job.table)
    if done is None:
        return None
    if job.replaces and (publish.head(session.repository, job.table) or {}).get("cause") != job.cause:
        return None
    return publish.recover(session.repository, VersionName(job.table, int(done["version"])))


def finish(session: Session, published: Published) -> Published:
    """The steps after the merge, each harmless when done again: tag, retention branch, the home's copy, no branch left."""
    publish.give_name(session.repository, published)
    session.copy_manifest(published.manifest)
    publish.sweep(session.repository, table=published.name.table, cause=published.manifest.drop)
    return published


def record(session: Session, job: Job, key: str, state: str, body: dict[str, Any]) -> None:
    """Write a ledger record of this job."""
    ledger.write(session, dataset=job.dataset, cause=job.cause, table=job.table, state=state, key=key, body={"hop": job.hop, **body})


def _attempt(session: Session, job: Job, key: str) -> HopResult:
    repository, steps = session.repository, Steps(job.table, session.watcher)
    with steps.step("stage"):
        candidate = publish.stage(repository, table=job.table, dataset=job.dataset, cause=job.cause)
    try:
        try:
            with steps.step("write"):
                written = job.write(candidate, steps)
        except DataRejected as rejection:
            return _refuse(session, job, key, Written(unread(job.suite, rejection), NOTHING), reason=str(rejection))
        with steps.step("judge"):
            verdict = verdict_of(written.outcomes, set_aside=written.counts.quarantined)
            if verdict is Verdict.BLOCKED:
                return _refuse(
                    session,
                    job,
                    key,
                    written,
                    reason=why_blocked(job.contract, written.outcomes, file=str(job.source.get("delivered_name", ""))),
                )
            if gaps := written.counts.gaps():
                what = f"rows do not add up: {'; '.join(gaps)}"
                raise IntegrityError(what, where=f"{candidate.name} of drop {job.cause[:12]}", fix="nothing was published; report this")
        manifest = _manifest(session, job, candidate, written, verdict=verdict, seconds=steps.seconds)
        with steps.step("commit"):
            evidence = {"suite": job.suite.to_gx(), "report": report(job.suite, written.outcomes), **written.evidence}
            publish.commit(repository, candidate, manifest, evidence=evidence)
        with steps.step("merge"):
            published = publish.merge(repository, candidate, manifest)
        with steps.step("tag"):
            repository.tag(published.name.tag, published.commit)
        with steps.step("keep"):
            finish(session, published)
    finally:
        repository.delete_branch(candidate.branch)
    late = {name: steps.seconds[name] for name in ("commit", "merge", "tag", "keep")}
    record(session, job, key, "published", {"version": manifest.version, "attempt": candidate.attempt, "durations": late})
    return _result(job, published, verdict)


def _manifest(
    session: Session, job: Job, candidate: Candidate, written: Written, *, verdict: Verdict, seconds: dict[str, float]
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
        contract_hash=job.contract.hash,
        sql_hash=job.sql_hash,
        parents=list(job.pins),
        source=job.source,
        delivered_at=job.delivered_at,
        extracted_at=job.source.get("extracted_at"),
        created_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        code=provenance.code(),
        packages=provenance.packages(),
        engine=session.engine.describe() if job.hop != "raw" else {},
        settings=provenance.configuration(session.settings),
        durations=dict(seconds),
        notes=written.notes,
    )


def why_blocked(contract: Contract, outcomes: tuple[Outcome, ...], *, file: str = "") -> str:
    """The file, the rules that refused it, in words, and what to do, as the contract says it."""
    broken = [item for item in outcomes if item.rule.severity == "block" and not item.success]
    absent = [str(item.rule.kwargs["column"]) for item in broken if item.rule.type == "expect_column_to_exist"]
    told = [_missing(absent, of=len(contract.columns))] if absent else []
    told += [
        f"{item.rule.id} ({item.observed.get('told') or f'{item.failed} of {item.of}'})"
        for item in broken
        if item.rule.type != "expect_column_to_exist"
    ]
    fix = contract.support or f"Compare it with its contract, {contract.path.name}; deliver it again when it is corrected"
    return f"{file}{': ' if file else ''}refused by {'; '.join(told)}. {fix}"


def _missing(columns: list[str], *, of: int) -> str:
    """One phrase for all missing columns: a file with none of them has most likely no header, or is empty."""
    if len(columns) == of > 1:
        return f"column rules (all {of} columns are missing: is the file empty, or without a header?)"
    shown = ", ".join(columns[:NAMED]) + (f" and {len(columns) - NAMED} more" if len(columns) > NAMED else "")
    return f"column rules (missing: {shown})"


def unread(suite: Suite, rejection: DataRejected) -> tuple[Outcome, ...]:
    """A delivery that could not even be opened counts against the rule that asks for readable records."""
    rules = [rule for rule in suite.rules if rule.type == "expect_records_to_be_readable"]
    return tuple(Outcome(rule, failed=1, of=1, observed={"told": rejection.what}) for rule in rules)


def _refuse(session: Session, job: Job, key: str, written: Written, *, reason: str) -> HopResult:
    rules = [item.to_json() for item in written.outcomes]
    counts = dict(vars(written.counts))
    gx = report(job.suite, written.outcomes)
    record(session, job, key, "blocked", {"reason": reason, "rules": rules, "counts": counts, "report": gx, "suite": job.suite.to_gx()})
    return HopResult(job.hop, job.table, Verdict.BLOCKED, None, counts, rules, reason, cause=job.cause)


def _blocked_before(session: Session, job: Job, key: str) -> HopResult | None:
    newest = ledger.latest(session, dataset=job.dataset, cause=job.cause, table=job.table)
    if newest is None or newest.state != "blocked" or newest.key != key:
        return None
    body = ledger.read(session, newest)
    return HopResult(job.hop, job.table, Verdict.BLOCKED, None, body["counts"], body["rules"], body["reason"], cause=job.cause)


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
