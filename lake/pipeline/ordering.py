"""Whose turn it is: a drop waits for references that have no version, and for earlier drops that are on their way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from catalog.contract import Contract
from expectations.verdict import Verdict
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.events import emit
from lake.hops.gate_records import APPROVED, REJECTED
from lake.hops.job import HopResult
from lake.hops.open_drops import under_way
from lake.hops.order_value import OrderValue, comes_before, rank
from lake.hops.processed import carry_processed
from lake.hops.published import published_version
from lake.hops.raw import carry_raw
from lake.ledger import records
from lake.ledger.receipts import Drop, clear_pending, pending, received
from lake.ledger.refused_drops import STATES as REFUSED
from lake.ledger.refused_drops import name_hash, refused_drops
from lake.session import Session
from lake.versions import publish
from lakegate.names import VersionName

CarryRaw = Callable[[Drop], object]


def order_of(session: Session, contract: Contract, drop: str) -> OrderValue | None:
    """The value that orders a drop, as its raw version recorded it; None before that, or where the contract asks for none."""
    if contract.order_by is None:
        return None
    if (known := session.orders.get((contract.name, drop))) is not None:
        return known
    table = f"{contract.name}_raw"
    if (
        raw := publish.publication(session.repository, dataset=contract.name, cause=drop, table=table)
    ) is None:
        return None
    value = published_version(session, VersionName(table, int(raw["version"]))).manifest.notes.get("order")
    if not isinstance(value, int | float | str):
        return None
    return session.orders.setdefault((contract.name, drop), value)


def waits_for(session: Session, contract: Contract, drop: Drop, *, carry_raw: CarryRaw) -> str | None:
    """Why a drop can't be published now, in words; None where it is its turn.

    It waits only for earlier drops already received and neither published, blocked nor rejected; a late one publishes next.
    `carry_raw` carries those whose raw verdict is missing through the raw hop, as they were delivered: only then their order is known.
    """
    for table in contract.references:
        if publish.head(session.repository, table) is None:
            return f"{contract.name} refers to {table}, which has no version yet"
    mine = order_of(session, contract, drop.sha256)
    return None if mine is None else earlier_drop(session, contract, drop.sha256, mine, carry_raw=carry_raw)


def waits(session: Session, contract: Contract, drop: Drop, *, again: bool, carry_raw: CarryRaw) -> str:
    """The same before the processed hop; empty also where a drop is published, or a person rejected it."""
    told = {"dataset": contract.name, "cause": drop.sha256, "table": contract.name}
    if publish.publication(session.repository, **told) is not None:
        return ""
    reason = waits_for(session, contract, drop, carry_raw=carry_raw)
    newest = records.latest(session, **told) if reason and not again else None
    return "" if reason is None or (newest is not None and newest.state == REJECTED) else reason


def earlier_drop(
    session: Session, contract: Contract, drop: str, mine: OrderValue, *, carry_raw: CarryRaw
) -> str | None:
    """Which earlier drop is on its way, in words, where one is; `mine` is the value that orders this one."""
    if contract.order_by is None:
        return None
    kind, unknown = contract.column(contract.order_by).type, list[Drop]()
    refused = cache(
        lambda: refused_drops(session, contract.name)
    )  # asked for where a drop's order is news, or comes first
    for other in pending(session, contract.name):
        if other == drop or ((contract.name, other) not in session.orders and other in refused()):
            continue
        theirs = order_of(session, contract, other)
        if theirs is not None and not comes_before(
            theirs, mine, kind
        ):  # as of most in a backfill, of which nothing more is asked then
            continue
        if other in refused() or _blocked(session, contract.name, other):
            continue
        if theirs is not None:
            return _is_ahead(session, contract, other, theirs, mine)
        if not _raw_stands(session, contract, other):
            unknown.append(received(session, contract.name, other))
    for first in sorted(unknown, key=lambda other: other.delivered_at):
        carry_raw(first)
        if (theirs := order_of(session, contract, first.sha256)) is not None and comes_before(
            theirs, mine, kind
        ):
            return _is_ahead(session, contract, first.sha256, theirs, mine)
    return None


def _is_ahead(session: Session, contract: Contract, other: str, theirs: OrderValue, mine: OrderValue) -> str:
    newest = records.latest(session, dataset=contract.name, cause=other)
    how = (
        "is held (approve or reject it)" if newest is not None and newest.state == "held" else "is on its way"
    )
    return f"an earlier drop {how}: {other[:12]} ({contract.order_by} {theirs}, this one has {mine})"


def _blocked(session: Session, dataset: str, drop: str) -> bool:
    newest = records.latest(session, dataset=dataset, cause=drop)
    return newest is not None and newest.state in REFUSED


def _raw_stands(session: Session, contract: Contract, drop: str) -> bool:
    return (
        publish.publication(
            session.repository, dataset=contract.name, cause=drop, table=f"{contract.name}_raw"
        )
        is not None
    )


def carry_after_raw(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """The processed hop of a drop whose raw version stands, or the word that it waits, and for what."""
    if reason := waits(session, contract, drop, again=again, carry_raw=partial(carry_raw, session, contract)):
        told = {"dataset": contract.name, "cause": drop.sha256, "table": contract.name}
        newest = records.latest(session, **told)
        if newest is None or newest.state != "waiting":
            records.write(session, **told, state="waiting", key="-", body={"reason": reason})
        waiting = HopResult(
            "processed", contract.name, Verdict.WAITING, None, {}, [], reason, cause=drop.sha256
        )
        return emit(session, contract.name, waiting)
    result = carry_processed(session, contract, drop, again=again)
    if result.version is not None and result.verdict is not Verdict.UNCHANGED:
        settle_corrected(session, contract, drop)
    return result


def settle_corrected(session: Session, contract: Contract, drop: Drop) -> None:
    """Take the refused drops that were delivered under this one's name off the list: it is what came in their place."""
    refused = cache(lambda: refused_drops(session, contract.name))  # asked for where a drop's name is news
    for other in pending(session, contract.name):
        name = session.names.get((contract.name, other))
        if other == drop.sha256 or (
            name is None and other in refused() and refused()[other].name != name_hash(drop.name)
        ):
            continue
        if name is None:
            name = session.names[contract.name, other] = received(session, contract.name, other).name
        if name == drop.name and _blocked(session, contract.name, other):
            body = {"reason": f"{drop.name} came again and was published", "by": drop.sha256}
            records.write(
                session,
                dataset=contract.name,
                cause=other,
                table=contract.name,
                state="superseded",
                key="-",
                body=body,
            )
            clear_pending(session, contract.name, other)


def waiting_drops(session: Session, contract: Contract, *, stranded: bool = False) -> list[Drop]:
    """Drops of a dataset that wait for their turn, or were approved and not published yet, in the contract's order.

    `stranded` adds those that were received and that nobody carries: their process died, or failed, before it said more.
    """
    found = []
    for digest, newest in under_way(session, contract.name):
        if (newest is not None and newest.state in ("waiting", APPROVED)) or (
            stranded
            and (newest is None or newest.state != "held")
            and not session.cache(DeliveryCache).elsewhere(digest)
        ):
            found.append(received(session, contract.name, digest))
    return in_order(session, contract, sorted(found, key=lambda drop: drop.delivered_at))


def in_order(session: Session, contract: Contract, drops: list[Drop]) -> list[Drop]:
    """Drops as the contract orders them, full deliveries as they were received; those whose order isn't known come last."""
    if contract.write_mode == "replace":
        return sorted(drops, key=lambda drop: drop.delivered_at)
    if contract.order_by is None:
        return drops
    kind = contract.column(contract.order_by).type
    known = {drop.sha256: rank(order_of(session, contract, drop.sha256), kind) for drop in drops}
    return sorted(drops, key=lambda drop: _rank(known[drop.sha256]))


def _rank(value: OrderValue | None) -> tuple[bool, float, str]:
    return (
        value is None,
        value if isinstance(value, int | float) else 0,
        value if isinstance(value, str) else "",
    )
