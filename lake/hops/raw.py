"""The raw hop: a delivered file becomes a version of `<dataset>_raw` unless a schema rule refuses it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.plan.raw_gate import Arrival, judge_arrival
from expectations.verdict import Outcome, Verdict, verdict_of
from lake import paths
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.gate.judgement import REMARKS
from lake.hops.gate.schema_check import check_columns
from lake.hops.job import NOTHING, HopOutput, HopResult, Job
from lake.hops.order_value import OrderValue, order_value
from lake.hops.published import published_as
from lake.hops.runner import run_hop
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import Drop
from lake.parsing.column_mapping import delivered
from lake.parsing.formats import format_of
from lake.parsing.parsed import Parsed
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.range_hashes import describe_file
from lake.versions import publish
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError
from lakegate.files.ranges import SMALL
from lakegate.manifest import DataFile

if TYPE_CHECKING:
    from expectations.suite import Suite

REPORTED = 1000
"""Unreadable records that the evidence lists; the count is always exact, and the bytes are all in raw."""


@dataclass
class _Delivery:
    """A drop at the gate of raw. Its rules read nothing but the drop, so its verdict holds on any head."""

    session: Session
    contract: Contract
    drop: Drop
    suite: Suite
    judged: HopOutput | None = None

    def judge(self, _: str, steps: StepTimer) -> HopOutput:
        """Parse the drop, the longest step of the hop; the engine of the processed hop starts meanwhile."""
        contract = self.contract
        self.session.engine.begin()
        steps.report("parse")
        parsed = _parse_and_check(self.session, contract, self.drop)
        outcomes, readable = judge_raw(self.suite, parsed), parsed.readable
        blocked = verdict_of(outcomes, quarantined=0) is Verdict.BLOCKED
        order = None if blocked else order_value(self.session.engine, contract, parsed)
        counts = replace(
            NOTHING,
            records_in=parsed.records,
            valid=readable,
            unreadable=parsed.unreadable_count,
            inserted=readable,
            after=readable,
        )
        listed = [vars(item) for item in parsed.unreadable[:REPORTED]]
        evidence: dict[str, Any] = {"unreadable": listed, "unreadable_reasons": parsed.reasons}
        if words := remarks(contract, parsed, order):
            evidence[REMARKS] = words
        notes = {"order": order, **header_notes(parsed), "bytes": parsed.account}
        digest = self.drop.sha256
        self.judged = HopOutput(outcomes, counts, content_hash=digest, notes=notes, evidence=evidence)
        return self.judged

    def write(self, candidate: Candidate, steps: StepTimer) -> HopOutput:
        """Describe the version, this file alone: its bytes are in raw since the drop was received."""
        judged = self.judged or self.judge(candidate.base, steps)
        path = paths.raw_object(self.contract.name, self.drop.sha256)
        (stored,) = self.session.repository.listing(candidate.branch, path)
        before = candidate.parent.counts.after if candidate.parent else 0
        counts = replace(judged.counts, before=before, deleted=before)
        return replace(judged, counts=counts, files=[self._described(candidate, stored, counts.valid)])

    def _described(self, candidate: Candidate, stored: Any, rows: int) -> DataFile:
        """The delivered file in raw; one that is not small is hashed again, for the proofs of its ranges."""
        path, size = str(stored.path), int(stored.size_bytes)
        physical = self.session.repository.physical(stored.physical_address)
        if size <= SMALL:
            return DataFile(path, physical, size, self.drop.sha256, rows)
        found = describe_file(self.session, candidate.branch, path, physical=physical, size=size, rows=rows)
        _check(path, found.sha256, self.drop)
        return found


def raw_job(session: Session, contract: Contract, drop: Drop) -> Job:
    """The raw hop of a drop.

    Raises:
        ContractError: The contract's columns are no longer those of the processed table; nothing was written.
    """
    suite = build_suite(contract, "raw", session.settings.project)
    check_columns(session, contract)
    work = _Delivery(session, contract, drop, suite)
    return Job(
        hop="raw",
        table=f"{contract.name}_raw",
        dataset=contract.name,
        cause=drop.sha256,
        root=paths.raw_object(contract.name, drop.sha256),
        contract=contract,
        suite=suite,
        judge=work.judge,
        write=work.write,
        source=source_of(contract, drop),
        delivered_at=drop.delivered_at,
    )


def carry_raw(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """Judge a received drop by its schema rules and publish it in raw; raises what `raw_job` does."""
    job = raw_job(session, contract, drop)
    with session.caching():  # the write needs what the judgement parsed
        result = run_hop(session, job, again=again)
    if result.verdict is Verdict.BLOCKED:
        session.cache(DeliveryCache).release(drop.sha256)
    return result


def remarks(contract: Contract, parsed: Parsed, order: OrderValue | None) -> list[str]:
    """What the sender of a drop that passes may want to know, although no rule is broken."""
    found = []
    if not parsed.ended and parsed.records:
        fix = "if the file was cut, deliver it whole (file.finalLineEnd: required refuses such files)"
        found.append(f"the last record has no line end: {fix}")
    if contract.order_by is not None and order is None and parsed.readable:
        what = f"no record has a value of {contract.order_by}, which orders the drops, that can be read"
        found.append(f"{what}: this one waits for no other, and no other for it")
    return found


def parse_received(session: Session, contract: Contract, drop: Drop) -> Parsed:
    """The parsed content of a drop: parsed once, from the cached delivery or else from raw.

    Raises:
        DataRejected: Its bytes can't be unpacked, or aren't of the contract's format.
        IntegrityError: Raw holds other bytes than were delivered.
    """
    cache = session.cache(DeliveryCache)
    if cache.delivered(drop.sha256) is None:
        fetched = cache.place(drop.sha256, drop.name)
        path = paths.raw_object(contract.name, drop.sha256)
        _check(path, session.repository.download("main", path, fetched), drop)
        cache.keep(drop.sha256, fetched, drop.name)
    return cache.parsed(drop.sha256, contract.file)


def _parse_and_check(session: Session, contract: Contract, drop: Drop) -> Parsed:
    """The parsed content of a drop, and the proof that raw holds the same bytes.

    Bytes that were fetched from raw are proved by that. The object in raw may be the very file that was
    hashed when the drop was received; else it is hashed while the drop is parsed. A drop of a dry run has no
    receipt, and isn't in raw.
    """
    cache = session.cache(DeliveryCache)
    if not drop.receipt or cache.delivered(drop.sha256) is None:
        return parse_received(session, contract, drop)
    path = paths.raw_object(contract.name, drop.sha256)
    block = session.repository.block("main", path)

    def is_copy() -> bool:
        return block is not None and cache.is_copy(drop.sha256, block)

    with ThreadPoolExecutor(1) as pool:
        stored = None if is_copy() else pool.submit(session.repository.sha256, "main", path)
        try:
            return parse_received(session, contract, drop)
        finally:
            if stored is not None:
                _check(path, stored.result(), drop)
            elif not is_copy():  # it was written while it was parsed
                _check(path, session.repository.sha256("main", path), drop)


def _check(path: str, found: str, drop: Drop) -> None:
    if found != drop.sha256:
        what = f"raw holds bytes with SHA-256 {found[:12]}"
        fix = "restore the object from a backup, or deliver the file again"
        raise IntegrityError(what, where=path, fix=fix)


def judge_raw(suite: Suite, parsed: Parsed) -> tuple[Outcome, ...]:
    """The outcomes of the raw suite for a parsed delivery."""
    arrival = Arrival(
        parsed.columns,
        parsed.records,
        parsed.readable,
        parsed.rescued,
        parsed.unreadable_message,
        parsed.ended,
        format_of(parsed.shape.format).header_hint if parsed.shape else None,
    )
    return judge_arrival(suite, arrival)


def source_of(contract: Contract, drop: Drop) -> dict[str, Any]:
    """Where a version's rows come from, for its manifest."""
    delivery = {"delivered_name": drop.name, "delivered_bytes": drop.size}
    return {**contract.source, **delivery, "receipt": drop.receipt, "extracted_at": drop.extracted_at}


def header_notes(parsed: Parsed) -> dict[str, Any]:
    """The delivered header, and its columns where one has another header than its name."""
    pairs = delivered(parsed.shape)
    header, names = [text for text, _ in pairs], [name for _, name in pairs]
    return {"columns": header, "names": names} if names != header else {"columns": header}


def recorded_header(session: Session, contract: Contract, drop: str) -> list[tuple[str, str | None]]:
    """The delivered header in its own order, from the raw version: each text, and the column that it brought.

    None is a header that is the name of a column which came under another one.
    """
    name = published_as(session, dataset=contract.name, cause=drop, table=f"{contract.name}_raw")
    if name is None:
        return []
    notes = publish.manifest_at(session.repository, MAIN, name).notes
    header = notes.get("columns", [])
    return list(zip(header, notes.get("names", header), strict=True))
