"""A dry run: judge files as ingesting them would, and take in, write and publish nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from catalog.contract import Contract, Hop
from expectations.build import build_suite, table_of
from expectations.verdict import Outcome, Verdict, verdict_of
from lake import layout, publish
from lake.evaluate import evaluate, missing_reference, pin_references
from lake.hop import HopResult, why_blocked
from lake.ingest import DropResult
from lake.processed import name_taken
from lake.raw import judge_raw, parse_file, raw_counts
from lake.receive import Drop, check_path, copy_in
from lake.repository import MAIN
from lake.session import Session
from lakegate.errors import DataRejected
from lakegate.manifest import Counts


def rehearse(session: Session, dataset: str, files: Iterable[Path]) -> list[DropResult]:
    """The verdicts that files would get at the raw and processed hops now. Features are not tried.

    Raises:
        UsageError: An unknown dataset, or a path that can't be taken in.
        ContractError: The dataset's contract or suite is wrong.
    """
    contract = session.catalog.get(dataset)
    paths = list(files)
    for path in paths:
        check_path(path)
    return [_rehearse_one(session, contract, path) for path in paths]


def _rehearse_one(session: Session, contract: Contract, path: Path) -> DropResult:
    raw_suite = build_suite(contract, "raw", session.settings.project)
    suite = build_suite(contract, "processed", session.settings.project)
    raw_table = f"{contract.name}_raw"
    with session.scratch("rehearse") as folder:
        digest = copy_in(path, folder / "delivered")
        drop = Drop(session.settings.tenant, contract.name, digest, path.name, path.stat().st_size, "")
        try:
            parsed = parse_file(contract, folder / "delivered", folder)
        except DataRejected as rejection:
            blocked = HopResult("raw", raw_table, Verdict.BLOCKED, None, {}, [], str(rejection), cause=digest)
            return DropResult(contract.name, digest, (blocked,))
        outcomes = judge_raw(raw_suite, parsed)
        raw = _result(contract, "raw", digest, outcomes, raw_counts(parsed, before=0))
        if raw.verdict is Verdict.BLOCKED or parsed.staging is None:
            return DropResult(contract.name, digest, (raw,))
        latest = publish.head(session.repository, contract.name)
        known = publish.publication(session.repository, dataset=contract.name, cause=digest, table=contract.name)
        if known is not None and (contract.write_mode == "append" or (latest or {}).get("cause") == digest):
            same = HopResult("processed", contract.name, Verdict.UNCHANGED, None, {}, [], cause=digest)
            return DropResult(contract.name, digest, (replace(raw, verdict=Verdict.UNCHANGED), same))
        if (reference := missing_reference(session, contract)) is not None:
            told = f"{contract.name} refers to {reference}, which has no version yet"
            return DropResult(
                contract.name, digest, (raw, HopResult("processed", contract.name, Verdict.WAITING, None, {}, [], told, cause=digest))
            )
        appends = contract.write_mode == "append"
        if appends and (taken := name_taken(session, contract, drop, base=MAIN)) is not None:
            empty = Counts(0, 0, 0, 0, before=0, inserted=0, deleted=0, after=0)
            return DropResult(contract.name, digest, (raw, _result(contract, "processed", digest, (taken,), empty)))
        published = session.engine.read_delta(MAIN, layout.processed_table(contract.name)) if appends and latest else None
        pins = pin_references(session, contract)
        staging = parsed.staging
        found = evaluate(session, contract, suite, staging=staging, folder=folder, pins=pins, published=published)
        counts = found.counts(before=0, appends=appends)
        return DropResult(contract.name, digest, (raw, _result(contract, "processed", digest, found.outcomes, counts)))


def _result(contract: Contract, hop: Hop, cause: str, outcomes: tuple[Outcome, ...], counts: Counts) -> HopResult:
    verdict = verdict_of(outcomes, set_aside=counts.quarantined)
    reason = why_blocked(contract, outcomes) if verdict is Verdict.BLOCKED else ""
    table = table_of(contract, hop)
    return HopResult(hop, table, verdict, None, dict(vars(counts)), [item.to_json() for item in outcomes], reason, cause=cause)
