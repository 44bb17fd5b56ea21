"""The result of a job or a decision that was published before: the version exists, nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from catalog.contract import Contract
from expectations.suite import Suite
from expectations.verdict import Verdict
from lake.hops.events import emit
from lake.hops.gate.judgement import result_of
from lake.hops.gate.no_rows_taken import still_none_of
from lake.hops.job import HopResult, Job
from lake.hops.published import latest_name, published_version, rebuilt_since
from lake.session import Session
from lake.versions import publish
from lake.versions.publish import Published
from lakegate.manifest import Manifest, Parent


def unchanged(session: Session, job: Job, found: Published) -> HopResult:
    """The result of a job that was published as `found`; needs the table's lease, except in a dry run.

    Where a reprocess judged the drop again since, the result has the outcome of that. Where a full table
    holds another content since, the reason says how this one becomes the table again.
    """
    name, manifest = found.name, found.manifest
    result = result_of(job, Verdict.UNCHANGED, manifest)
    result = replace(result, version=str(name), content_hash=manifest.content_hash)
    newest = latest_name(session, job.table)
    if newest is None or newest == name:
        return replace(result, none_taken=still_none_of(manifest, job.cause))
    latest = published_version(session, newest).manifest
    # Rows of the drop that were quarantined may have been replayed since.
    result = replace(result, reason="", none_taken=still_none_of(latest, job.cause))
    if again := rebuilt_since(session, latest, name, job.cause):
        reason = f"published as {name}, judged again by the reprocess {again['name']}"
        result = replace(result, reprocessed=again, reason=reason)
    if job.replaces and not (again and again["version"] == newest.number):
        reason = f"{job.table} is at v{newest.number} since; `--force` delivers this content anew"
        result = replace(result, reason=reason)
    return result


def published_before(session: Session, made: Manifest, what: str) -> HopResult:
    """The result of a decision that made the table's latest version already; its event is emitted again.

    The process that made the version may have died before it emitted one.
    """
    name = published_version(session, made.name).name
    result = HopResult(
        "processed",
        made.table,
        Verdict.UNCHANGED,
        str(name),
        publish.manifest_counts(made),
        made.rules,
        f"this {what} is published as {name}, and nothing that it depends on changed since",
        made.content_hash,
        made.drop,
    )
    return emit(session, made.table, result)


def replayed_before(
    session: Session, made: Manifest, contract: Contract, suite: Suite, pins: Sequence[Parent]
) -> HopResult | None:
    """The result of a replay that made the latest version under these rules and references; else None."""
    same = (made.contract_hash, made.suite_hash, made.parents) == (contract.hash, suite.hash, [*pins])
    return published_before(session, made, "replay") if same and "replay_of" in made.source else None
