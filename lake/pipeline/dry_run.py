"""A dry run: the raw and processed hops judge files, and nothing is written in the lake or the home."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from catalog.contract import Contract
from expectations.verdict import STOPPED, Verdict
from lake.engine.errors import engine_errors
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.gate.judgement import Judgement, judge, judge_unreadable
from lake.hops.gate.published_before import unchanged
from lake.hops.gate.records import key_of, recorded_result
from lake.hops.job import NOTHING, HopOutput, HopResult, Job
from lake.hops.processed.hop import processed_job
from lake.hops.processed.superseded import superseded, superseded_by
from lake.hops.published import find_published, published_version
from lake.hops.raw import raw_job
from lake.hops.receive import receive
from lake.ledger.receipts import Drop
from lake.pipeline.call_checks import check_call
from lake.pipeline.ingest import DropResult
from lake.pipeline.ordering import waits
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lakegate.errors import DataRejected
from lakegate.names import VersionName


def dry_run(
    session: Session, dataset: str, files: Iterable[Path], *, again: bool = False, supersede: bool = False
) -> list[DropResult]:
    """What the raw and processed hops would say of each file by itself.

    Args:
        session: The open lake.
        dataset: The dataset of the files.
        files: The files.
        again: As `ingest` takes it.
        supersede: As `ingest` takes it.

    Raises:
        LakegateError: What `ingest` raises.
    """
    contract = check_call(session, dataset, paths := list(files), supersede=supersede)
    anew, results = again and contract.write_mode == "replace", list[DropResult]()
    with _writing_nothing(session), session.caching():
        session.cache(DeliveryCache).claims = False
        for path in paths:
            drop = receive(session, dataset, path, anew=anew, supersede=supersede, take_in=False)
            raw = _judge(session, raw_job(session, contract, drop), again=again)
            hops = [raw.result]
            if raw.result.verdict not in STOPPED:
                if (order := raw.output.notes.get("order")) is not None:  # no raw version will have it
                    session.orders[dataset, drop.sha256] = order
                hops.append(_processed(session, contract, drop, raw.result, again=again))
            session.cache(DeliveryCache).release(drop.sha256)
            results.append(DropResult(dataset, drop.sha256, tuple(hops), drop.name))
    return results


@contextlib.contextmanager
def _writing_nothing(session: Session) -> Iterator[None]:
    """Leave every version within as it is: one that an attempt died at is named by the next real run."""
    session.dry_run = True
    try:
        yield
    finally:
        session.dry_run = False
        session.finished.clear()  # some of them may lack their names


def _processed(session: Session, contract: Contract, drop: Drop, raw: HopResult, *, again: bool) -> HopResult:
    # A dry run publishes no other drop, so the order of one without a raw version stays unknown.
    if reason := waits(session, contract, drop, again=again, carry_raw=lambda _: None):
        return HopResult("processed", contract.name, Verdict.WAITING, None, {}, [], reason, cause=drop.sha256)
    session.renew_engine()
    if (later := superseded_by(session, contract, drop)) is not None:
        return superseded(contract, drop, later)
    source = (
        published_version(session, VersionName.parse(raw.version)) if raw.version else raw.counts["valid"]
    )
    with processed_job(session, contract, drop, source) as job:
        return _judge(session, job, again=again).result


def _judge(session: Session, job: Job, *, again: bool) -> Judgement:
    """The judgement that `run_hop` would come to; nothing is published or recorded."""
    if (found := find_published(session, job)) is not None:
        return Judgement(unchanged(session, job, found), HopOutput((), NOTHING))
    if not again and (known := recorded_result(session, job, key_of(job))) is not None:
        return Judgement(known, HopOutput((), NOTHING))
    try:
        with engine_errors(f"carrying a drop to {job.table}"):
            return judge(session, job, StepTimer(job.table, session.watcher))
    except DataRejected as rejection:
        return judge_unreadable(job, rejection)
