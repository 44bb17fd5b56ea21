"""The manifest of a version that a hop publishes, and the evidence beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from expectations.verdict import report
from lake.hops.gate.judgement import Judgement
from lake.hops.gate.no_rows_taken import NOTE
from lake.hops.job import Job
from lake.hops.published import REBUILT
from lake.session import Session
from lake.tables.range_hashes import keep_proofs
from lake.versions import provenance, publish
from lake.versions.publish import Candidate
from lakegate.manifest import Manifest, sha256

INHERITED: Final = (REBUILT, NOTE)
"""Notes that hold for the next version too, unless it has its own; an empty one is left out."""


def make_manifest(
    session: Session, job: Job, candidate: Candidate, judged: Judgement, seconds: dict[str, float]
) -> tuple[Manifest, bytes]:
    """The manifest of a candidate that the gate let pass, and the bytes of its evidence.

    Args:
        session: The open lake.
        job: What was written.
        candidate: Where it was written; the proofs of its files are added to it.
        judged: The judgement on it.
        seconds: How long each step took.
    """
    output = judged.output
    evidence = {"suite": job.suite.to_gx(), "report": report(job.suite, output.outcomes)}
    evidence_bytes = publish.evidence_bytes({**evidence, "contract": job.contract.text, **output.evidence})
    manifest = Manifest(
        tenant=session.settings.tenant,
        table=job.table,
        version=candidate.number,
        hop=job.hop,
        drop=job.cause,
        attempt=candidate.attempt,
        root=job.root,
        files=output.files,
        quarantine=output.quarantine,
        schema=job.schema if job.hop != "raw" else [],
        content_hash=output.content_hash,
        counts=output.counts,
        verdict=str(judged.result.verdict),
        rules=judged.result.rules,
        suite_hash=job.suite.hash,
        evidence_sha256=sha256(evidence_bytes),
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
        notes=_notes(judged, candidate.parent),
        resolved=output.resolved,
        tombstones=output.tombstones,
        balance=output.balance,
        proofs=keep_proofs(session, candidate, output.all_files, output.proofs),
    )
    return manifest.after(candidate.parent), evidence_bytes


def _notes(judged: Judgement, parent: Manifest | None) -> dict[str, Any]:
    """The notes of the job and those of the parent that still hold, the approval, and the triggers."""
    notes = dict(judged.output.notes)
    for name in INHERITED:
        value = notes.pop(name, parent.notes.get(name) if parent else None)
        if value:
            notes[name] = value
    if judged.approved:
        notes["approved"] = judged.approved
    failed = [item.rule for item in judged.output.outcomes if not item.success]
    if triggers := [rule.id for rule in failed if rule.severity == "trigger"]:
        notes["triggers"] = triggers
    return notes
