"""A dry run: files are looked at, not taken in; their hops judge them as they would, and publish nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catalog.contract import Contract
from expectations.verdict import STOPPED, Verdict
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.gate_records import judge_hop
from lake.hops.job import HopResult
from lake.hops.processed import processed_job, superseded, superseded_by
from lake.hops.published import published_version
from lake.hops.raw import raw_job
from lake.hops.receive import receive
from lake.ledger.receipts import Drop
from lake.pipeline.ingest import DropResult, check_call
from lake.pipeline.ordering import waits
from lake.session import Session
from lakegate.names import VersionName


def dry_run(
    session: Session,
    dataset: str,
    files: Iterable[Path],
    *,
    again: bool = False,
    supersede: bool = False,
) -> list[DropResult]:
    """What the raw and processed hops would say of each file by itself; raises what `ingest` does."""
    contract = check_call(session, dataset, paths := list(files), supersede=supersede)
    anew, found = again and contract.write_mode == "replace", list[DropResult]()
    with session.caching():
        session.cache(DeliveryCache).carried = False
        for path in paths:
            drop = receive(session, dataset, path, anew=anew, supersede=supersede, take_in=False)
            raw = judge_hop(session, raw_job(session, contract, drop), again=again)
            hops = [raw.result]
            if raw.result.verdict not in STOPPED:
                if (order := raw.written.notes.get("order")) is not None:  # no raw version will tell it
                    session.orders[dataset, drop.sha256] = order
                hops.append(_processed(session, contract, drop, raw.result, again=again))
            session.cache(DeliveryCache).release(drop.sha256)
            found.append(DropResult(dataset, drop.sha256, tuple(hops), drop.name))
    return found


def _processed(session: Session, contract: Contract, drop: Drop, raw: HopResult, *, again: bool) -> HopResult:
    # Nothing is published of others, so those that have no raw version can't be asked for their order.
    if reason := waits(session, contract, drop, again=again, carry_raw=lambda _: None):
        return HopResult("processed", contract.name, Verdict.WAITING, None, {}, [], reason, cause=drop.sha256)
    session.renew_engine()
    if (later := superseded_by(session, contract, drop)) is not None:
        return superseded(contract, drop, later)
    source = (
        published_version(session, VersionName.parse(raw.version)) if raw.version else raw.counts["valid"]
    )
    with processed_job(session, contract, drop, source) as job:
        return judge_hop(session, job, again=again).result
