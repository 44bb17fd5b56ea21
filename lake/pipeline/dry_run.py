"""A dry run: judge files as ingesting them would, and take in, write and publish nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from catalog.contract import Contract, Hop
from expectations.building.build import build_suite, table_of
from expectations.typed_frame import DROP
from expectations.verdict import STOPPED, Outcome, Verdict, verdict_of
from lake.drift.version_histograms import Comparison
from lake.hops.delivery_cache import parse_file
from lake.hops.evaluate import evaluate, missing_reference, pin_references
from lake.hops.file_names import check_corrects, name_holder, name_taken
from lake.hops.gate_records import DISCARDED, approval, unapproved_holds
from lake.hops.job import NOTHING, HopResult
from lake.hops.messages import blocked_message, held_message, no_rows_taken_message, unreadable_outcomes
from lake.hops.mostly_quarantined import mostly_quarantined, mostly_quarantined_message
from lake.hops.no_rows_taken import is_none_taken, still_none_of
from lake.hops.order_value import order_value
from lake.hops.published import rebuilt_since
from lake.hops.raw import judge_raw, raw_counts, remarks
from lake.hops.receive import check_path, copy_in
from lake.hops.schema_check import check_columns
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.receipts import Drop
from lake.parsing.parse import Parsed
from lake.pipeline.ingest import DropResult, require_dataset
from lake.pipeline.ordering import earlier_drop
from lake.session import Session
from lake.tables.change import plain_counts, published_rows
from lake.tables.quarantine import latest_manifest
from lake.versions import publish
from lakegate.errors import DataRejected
from lakegate.manifest import Counts
from lakegate.names import VersionName


def rehearse(session: Session, dataset: str, files: Iterable[Path], *, again: bool = False, supersede: bool = False) -> list[DropResult]:
    """The verdicts that files would get at the raw and processed hops now, each by itself. Features are not tried.

    With `supersede` each takes the place of the published drop of its name; with `again` it is judged although a person rejected it.

    Raises:
        UsageError: An unknown dataset, a path that can't be taken in, or nothing to supersede.
        ContractError: The dataset's contract or suite is wrong.
    """
    contract = require_dataset(session, dataset)
    paths = list(files)
    for path in paths:
        check_path(path)
        if supersede:
            check_corrects(session, contract, path)
    supersedes = supersede or contract.same_name == "supersede"
    return [_rehearse_one(session, contract, path, again=again, supersede=supersedes) for path in paths]


def _rehearse_one(session: Session, contract: Contract, path: Path, *, again: bool, supersede: bool) -> DropResult:
    with session.scratch("rehearse") as folder:
        delivered = folder / "delivered" / path.name
        delivered.parent.mkdir()
        digest, status = copy_in(path, delivered)
        drop = Drop(session.settings.tenant, contract.name, digest, path.name, status.st_size, "", supersedes=supersede)
        hops = _hops(session, contract, drop, delivered, folder, again=again)
        return DropResult(contract.name, drop.sha256, hops, drop.name)


def _hops(session: Session, contract: Contract, drop: Drop, delivered: Path, folder: Path, *, again: bool) -> tuple[HopResult, ...]:
    raw = _standing(session, contract, "raw", drop, again=again)
    processed = _standing(session, contract, "processed", drop, again=again)
    if raw and processed:
        return raw, processed
    if raw and raw.verdict in STOPPED:
        return (raw,)
    suite = build_suite(contract, "raw", session.settings.project)
    try:
        parsed = parse_file(delivered, contract.file, folder, settings=session.settings)
    except DataRejected as rejection:
        blocked = _result(contract, "raw", drop, unreadable_outcomes(suite, rejection), NOTHING)
        return (replace(blocked, verdict=Verdict.BLOCKED, reason=str(rejection)),)
    raw = raw or _result(contract, "raw", drop, judge_raw(suite, parsed), raw_counts(parsed, before=0))
    if raw.verdict is Verdict.PASSED and (told := remarks(contract, parsed, order_value(session.engine, contract, parsed))):
        raw = replace(raw, reason="; ".join(told))
    if raw.verdict in STOPPED or parsed.staging is None:
        return (raw,)
    return raw, processed or _processed(session, contract, drop, parsed, parsed.staging)


def _standing(session: Session, contract: Contract, hop: Hop, drop: Drop, *, again: bool) -> HopResult | None:
    """The verdict `unchanged`, where the drop was published at a hop and that publish stands; `blocked`, where a person rejected it there."""
    table = table_of(contract, hop)
    done = publish.publication(session.repository, dataset=contract.name, cause=drop.sha256, table=table)
    if done is None:
        newest = records.latest(session, dataset=contract.name, cause=drop.sha256, table=table)
        if again or newest is None or newest.state != DISCARDED:
            return None
        reason = str(records.read(session, newest)["reason"])
        return HopResult(hop, table, Verdict.BLOCKED, None, {}, [], reason, cause=drop.sha256)
    name = VersionName(table, int(done["version"]))
    manifest = publish.manifest_at(session.repository, MAIN, name)
    counts = publish.manifest_counts(manifest)
    reason = no_rows_taken_message(table, counts, manifest.rules)
    found = HopResult(hop, table, Verdict.UNCHANGED, str(name), counts, manifest.rules, reason, cause=drop.sha256)
    latest = publish.latest_at(session.repository, MAIN, table)
    if latest is not None and hop == "processed":
        found = replace(found, none_taken=still_none_of(latest, drop.sha256))
    if latest is None or latest.version == name.number:
        return found
    found = replace(found, reason="").judged_again(rebuilt_since(session, latest, name, drop.sha256))
    if hop == "processed" and contract.write_mode == "replace" and (found.reprocessed or {}).get("version") != latest.version:
        return None  # delivered anew, it becomes the table again
    return found


def _processed(session: Session, contract: Contract, drop: Drop, parsed: Parsed, staging: Path) -> HopResult:
    if (reason := _waits(session, contract, drop, parsed)) is not None:
        return HopResult("processed", contract.name, Verdict.WAITING, None, {}, [], reason, cause=drop.sha256)
    check_columns(session, contract)
    appends = contract.write_mode == "append"
    instead_of = name_holder(session, contract, drop, base=MAIN) if drop.supersedes else None
    if instead_of is None and (taken := name_taken(session, contract, drop, base=MAIN)) is not None:
        return _result(contract, "processed", drop, (taken,), NOTHING)
    suite = build_suite(contract, "processed", session.settings.project)
    latest = latest_manifest(session, contract.name)
    published = published_rows(session, contract, suite, latest, MAIN) if appends and latest is not None and latest.counts.after else None
    if published is not None and instead_of is not None:
        published = published.where(f"{DROP} != '{instead_of}'")
    pins = pin_references(session, contract)
    compare = Comparison(session, contract, latest, MAIN, whole=contract.write_mode == "replace")
    found = evaluate(
        session,
        contract,
        suite,
        staging=staging,
        folder=staging.parent,
        pins=pins,
        published=published,
        delivered_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        baselines=compare.baselines,
        past=compare.past,
        before=latest.counts.after if latest and contract.write_mode == "replace" else None,
    )
    counts = plain_counts(found.valid, found.quarantined, found.valid + found.quarantined, None, replaces=contract.write_mode == "replace")
    approved = approval(session, dataset=contract.name, table=contract.name, cause=drop.sha256, suite_hash=suite.hash)
    result = _result(contract, "processed", drop, found.outcomes, counts, waived=approved.get("rules", ()))
    notes = mostly_quarantined(session, contract, found, parsed=parsed, parent=latest, published=published)
    return replace(result, reason=" ".join(filter(None, (result.reason, mostly_quarantined_message(contract.name, notes)))))


def _waits(session: Session, contract: Contract, drop: Drop, parsed: Parsed) -> str | None:
    if (reference := missing_reference(session, contract)) is not None:
        return f"{contract.name} refers to {reference}, which has no version yet"
    mine = order_value(session.engine, contract, parsed)
    # Nothing may be published here, so drops whose raw version is still missing can't be asked for their order.
    return None if mine is None else earlier_drop(session, contract, drop.sha256, mine, carry_raw=lambda _: None)


def _result(
    contract: Contract, hop: Hop, drop: Drop, outcomes: tuple[Outcome, ...], counts: Counts, *, waived: Collection[str] = ()
) -> HopResult:
    verdict = verdict_of(outcomes, set_aside=counts.quarantined, waived=waived)
    reason = blocked_message(contract, outcomes, file=drop.name) if verdict is Verdict.BLOCKED else ""
    if verdict is Verdict.HELD:
        reason = held_message(contract, unapproved_holds(outcomes, waived), cause=drop.sha256, file=drop.name)
    rules, table = [item.to_json() for item in outcomes], table_of(contract, hop)
    none = hop == "processed" and verdict not in STOPPED and is_none_taken(vars(counts))
    reason = reason or no_rows_taken_message(table, vars(counts), rules)
    return HopResult(hop, table, verdict, None, dict(vars(counts)), rules, reason, cause=drop.sha256, none_taken=none)
