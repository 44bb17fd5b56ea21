"""Whose turn it is: a drop waits for references without a version, and for earlier open drops."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from catalog.contract import Contract
from expectations.verdict import Verdict
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.events import emit
from lake.hops.gate.approvals import APPROVED, REJECTED
from lake.hops.job import HopResult
from lake.hops.open_drops import under_way
from lake.hops.order_value import OrderValue, comes_before, rank
from lake.hops.processed.hop import carry_processed
from lake.hops.published import published_as, published_version
from lake.hops.raw import carry_raw
from lake.ledger import records
from lake.ledger.receipts import Drop, clear_pending, pending, received
from lake.ledger.refused_drops import STATES as REFUSED
from lake.ledger.refused_drops import name_hash, refused_drops
from lake.session import Session
from lake.versions import publish

CarryRaw = Callable[[Drop], object]


def order_of(session: Session, contract: Contract, drop: str) -> OrderValue | None:
    """The value that orders a drop, from its raw version; None without one, or without an order."""
    if contract.order_by is None:
        return None
    if (known := session.orders.get((contract.name, drop))) is not None:
        return known
    raw = published_as(session, dataset=contract.name, cause=drop, table=f"{contract.name}_raw")
    if raw is None:
        return None
    value = published_version(session, raw).manifest.notes.get("order")
    if not isinstance(value, int | float | str):
        return None
    return session.orders.setdefault((contract.name, drop), value)


def waits_for(session: Session, contract: Contract, drop: Drop, *, carry_raw: CarryRaw) -> str | None:
    """Why a drop can't be published now, in words; None where it is its turn.

    It waits only for earlier drops that were received and neither published, blocked nor rejected.

    Args:
        session: The open lake.
        contract: The dataset's.
        drop: The drop.
        carry_raw: Takes a drop without a raw version through the raw hop: only that tells its order.
    """
    for table in contract.references:
        if publish.head(session.repository, table) is None:
            return f"{contract.name} refers to {table}, which has no version yet"
    mine = order_of(session, contract, drop.sha256)
    return None if mine is None else earlier_drop(session, contract, drop.sha256, mine, carry_raw=carry_raw)


def waits(session: Session, contract: Contract, drop: Drop, *, again: bool, carry_raw: CarryRaw) -> str:
    """Why a drop can't be published now; empty also where it is published, or a person rejected it.

    Args:
        session: The open lake.
        contract: The dataset's.
        drop: The drop, which has a raw version.
        again: Whether it is judged although a person rejected it.
        carry_raw: See `waits_for`.
    """
    name = contract.name
    if published_as(session, dataset=name, cause=drop.sha256, table=name) is not None:
        return ""
    reason = waits_for(session, contract, drop, carry_raw=carry_raw)
    if reason is None or again:
        return reason or ""
    newest = records.latest(session, dataset=name, cause=drop.sha256, table=name)
    return "" if newest is not None and newest.state == REJECTED else reason


def earlier_drop(
    session: Session, contract: Contract, drop: str, mine: OrderValue, *, carry_raw: CarryRaw
) -> str | None:
    """The earlier drop that is under way, in words; None where there is none.

    Args:
        session: The open lake.
        contract: The dataset's.
        drop: The SHA-256 of the drop that would wait.
        mine: The value that orders it.
        carry_raw: See `waits_for`.
    """
    if contract.order_by is None:
        return None
    name, kind, unknown = contract.name, contract.column(contract.order_by).type, list[Drop]()
    # The ledger is read only for a drop whose order is unknown or earlier: few are in a backfill.
    refused = cache(lambda: refused_drops(session, name))
    for other in pending(session, name):
        if other == drop or ((name, other) not in session.orders and other in refused()):
            continue
        theirs = order_of(session, contract, other)
        if theirs is not None and not comes_before(theirs, mine, kind):
            continue
        if other in refused() or _is_refused(session, name, other):
            continue
        if theirs is not None:
            return _is_ahead(session, contract, other, theirs, mine)
        if published_as(session, dataset=name, cause=other, table=f"{name}_raw") is None:
            unknown.append(received(session, name, other))
    for first in sorted(unknown, key=lambda other: other.delivered_at):
        carry_raw(first)
        theirs = order_of(session, contract, first.sha256)
        if theirs is not None and comes_before(theirs, mine, kind):
            return _is_ahead(session, contract, first.sha256, theirs, mine)
    return None


def _is_ahead(session: Session, contract: Contract, other: str, theirs: OrderValue, mine: OrderValue) -> str:
    newest = records.latest(session, dataset=contract.name, cause=other)
    held = newest is not None and newest.state == "held"
    state = "is held (approve or reject it)" if held else "is on its way"
    return f"an earlier drop {state}: {other[:12]} ({contract.order_by} {theirs}, this one has {mine})"


def _is_refused(session: Session, dataset: str, drop: str) -> bool:
    newest = records.latest(session, dataset=dataset, cause=drop)
    return newest is not None and newest.state in REFUSED


def carry_after_raw(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """The processed hop of a drop with a raw version; where the drop waits, the record and result of that."""
    reason = waits(session, contract, drop, again=again, carry_raw=partial(carry_raw, session, contract))
    if reason:
        name, words = contract.name, {"dataset": contract.name, "cause": drop.sha256, "table": contract.name}
        newest = records.latest(session, **words)
        if newest is None or newest.state != "waiting":
            records.write(session, **words, state="waiting", key="-", body={"reason": reason})
        result = HopResult("processed", name, Verdict.WAITING, None, {}, [], reason, cause=drop.sha256)
        return emit(session, name, result)
    result = carry_processed(session, contract, drop, again=again)
    if result.version is not None and result.verdict is not Verdict.UNCHANGED:
        clear_corrected(session, contract, drop)
    return result


def clear_corrected(session: Session, contract: Contract, drop: Drop) -> None:
    """Record refused drops of this one's name as superseded, and clear their pending markers."""
    dataset = contract.name
    refused = cache(lambda: refused_drops(session, dataset))  # read only for a drop whose name is unknown
    for other in pending(session, dataset):
        if other == drop.sha256:
            continue
        name = session.names.get((dataset, other))
        if name is None:
            if other in refused() and refused()[other].name != name_hash(drop.name):
                continue
            name = session.names[dataset, other] = received(session, dataset, other).name
        if name == drop.name and _is_refused(session, dataset, other):
            words = {"dataset": dataset, "cause": other, "table": dataset}
            body = {"reason": f"{drop.name} came again and was published", "by": drop.sha256}
            records.write(session, **words, state="superseded", key="-", body=body)
            clear_pending(session, dataset, other)


def waiting_drops(session: Session, contract: Contract, *, stranded: bool = False) -> list[Drop]:
    """Drops that wait for their turn, or were approved and are not published yet, in the contract's order.

    Args:
        session: The open lake.
        contract: The dataset's.
        stranded: Also the received drops that no process works on: theirs died, or failed, early.
    """
    found = []
    for digest, newest in under_way(session, contract.name):
        state = newest.state if newest is not None else ""
        waits = state in ("waiting", APPROVED)
        if waits or (stranded and state != "held" and not session.cache(DeliveryCache).elsewhere(digest)):
            found.append(received(session, contract.name, digest))
    return in_order(session, contract, sorted(found, key=lambda drop: drop.delivered_at))


def in_order(session: Session, contract: Contract, drops: list[Drop]) -> list[Drop]:
    """Drops in the contract's order, those of unknown order last; full deliveries as they were received."""
    if contract.write_mode == "replace":
        return sorted(drops, key=lambda drop: drop.delivered_at)
    if contract.order_by is None:
        return drops
    kind = contract.column(contract.order_by).type
    ranks = {drop.sha256: rank(order_of(session, contract, drop.sha256), kind) for drop in drops}
    return sorted(drops, key=lambda drop: _sort_key(ranks[drop.sha256]))


def _sort_key(value: OrderValue | None) -> tuple[bool, float, str]:
    if isinstance(value, str):
        return False, 0, value
    return value is None, value or 0, ""
