"""A drop through all its hops: raw, processed, and the features that follow; then whoever waited for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from catalog.contract import Contract
from expectations.build import build_suite
from expectations.verdict import Verdict, worst
from lake import ledger, publish
from lake.features import carry_features
from lake.hop import HopResult
from lake.order import order_of, waits_for
from lake.processed import carry_processed
from lake.raw import carry_raw
from lake.receive import Drop, check_path, pending, receive, received
from lake.session import Session

Tell = Callable[[HopResult], None]


@dataclass(frozen=True)
class DropResult:
    """What became of one drop at each hop; its verdict is its worst hop's."""

    dataset: str
    drop: str
    hops: tuple[HopResult, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst hop's verdict."""
        return worst(hop.verdict for hop in self.hops)

    def to_json(self) -> dict[str, Any]:
        """The result as `lakegate ingest --json` prints it."""
        return {"dataset": self.dataset, "drop": self.drop, "verdict": str(self.verdict), "hops": [hop.to_json() for hop in self.hops]}


def ingest(session: Session, dataset: str, files: Iterable[Path], *, again: bool = False) -> list[DropResult]:
    """Receive files and carry each through all hops that follow, in the order that the contract asks for.

    Drops that had waited for these are carried too and stand at the end of the result.

    Raises:
        UsageError: An unknown dataset, or a path that can't be taken in; nothing was taken in then.
        ContractError: The dataset's contract, suite or SQL is wrong.
    """
    contract = session.catalog.get(dataset)
    build_suite(contract, "raw", session.settings.project)
    build_suite(contract, "processed", session.settings.project)
    paths = list(files)
    for path in paths:
        check_path(path)
    drops = list({drop.sha256: drop for drop in (receive(session, dataset, path) for path in paths)}.values())
    results = list(carry(session, contract, drops, again=again))
    asked = {drop.sha256 for drop in drops}
    return results + [result for result in carry_waiting(session) if result.drop not in asked]


def carry(session: Session, contract: Contract, drops: list[Drop], *, again: bool = False) -> Iterator[DropResult]:
    """Carry received drops of one dataset through all hops, in the contract's order."""
    raw = {drop.sha256: carry_raw(session, contract, drop, again=again) for drop in drops}

    def turn(drop: Drop) -> tuple[bool, Any]:
        value = order_of(session, contract, drop.sha256)
        return (value is None, value if value is not None else 0)

    for drop in sorted(drops, key=turn) if contract.order_by else drops:
        hops = [raw[drop.sha256]]
        if hops[0].verdict is not Verdict.BLOCKED:
            hops.append(carry_after_raw(session, contract, drop, again=again))
            hops.extend(carry_followers(session, contract.name))
        yield DropResult(contract.name, drop.sha256, tuple(hops))


def carry_after_raw(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """The processed hop of a drop whose raw version stands, or the word that it waits, and for what."""
    done = publish.publication(session.repository, dataset=contract.name, cause=drop.sha256, table=contract.name)
    if done is None and (reason := waits_for(session, contract, drop, carry_raw=partial(carry_raw, session, contract))) is not None:
        newest = ledger.latest(session, dataset=contract.name, cause=drop.sha256, table=contract.name)
        if newest is None or newest.state != "waiting":
            ledger.write(
                session, dataset=contract.name, cause=drop.sha256, table=contract.name, state="waiting", key="-", body={"reason": reason}
            )
        return HopResult("processed", contract.name, Verdict.WAITING, None, {}, [], reason, cause=drop.sha256)
    return carry_processed(session, contract, drop, again=again)


def followers(session: Session, table: str) -> list[Contract]:
    """The feature tables whose SQL reads a table."""
    return [contract for contract in session.catalog.contracts.values() if contract.kind == "feature" and table in contract.inputs]


def carry_followers(session: Session, table: str) -> Iterator[HopResult]:
    """Every missing version of the feature tables that read `table`, and of those that read these."""
    for contract in followers(session, table):
        while (made := carry_features(session, contract)) is not None:
            yield made
            if made.verdict is Verdict.BLOCKED:
                break
            yield from carry_followers(session, contract.name)


def carry_waiting(session: Session) -> Iterator[DropResult]:
    """Drops that wait for a reference or an earlier drop and whose turn has come, until no more can move."""
    moved = True
    while moved:
        moved = False
        for contract in list(session.catalog.contracts.values()):
            if contract.kind != "dataset":
                continue
            for drop in _waiting(session, contract):
                if waits_for(session, contract, drop, carry_raw=partial(carry_raw, session, contract)) is None:
                    yield from carry(session, contract, [drop])
                    moved = True


def _waiting(session: Session, contract: Contract) -> list[Drop]:
    found = []
    for digest in pending(session, contract.name):
        newest = ledger.latest(session, dataset=contract.name, cause=digest, table=contract.name)
        if newest is not None and newest.state == "waiting":
            found.append(received(session, contract.name, digest))
    return sorted(found, key=lambda drop: str(order_of(session, contract, drop.sha256)).zfill(20))
