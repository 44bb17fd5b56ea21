"""A drop through all its hops: raw, processed, and the features that follow; then whoever waited for it."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

from catalog.contract import Contract
from expectations.build import build_suite
from expectations.verdict import STOPPED, Verdict, worst
from lake import ledger, publish
from lake.answers import DISCARDED
from lake.delivered import check_corrects
from lake.disk import disk_errors
from lake.features import carry_features
from lake.job import HopResult
from lake.order import in_order, settle_corrected, waiting_drops, waits_for
from lake.processed import carry_processed
from lake.raw import carry_raw
from lake.receive import Drop, check_path, receive
from lake.session import Session
from lakegate.errors import LakegateError, Transient, UsageError

Tell = Callable[["DropResult"], None]
BACK_OFF: Final = (1.0, 4.0)
"""Seconds before drops that met a transient failure are tried again, and again; half as much more or less by chance."""

OnError = Callable[[str, LakegateError], None]
"""Told which dataset stopped and why, so that the others go on; where there is none the error is raised."""


@dataclass(frozen=True)
class DropResult:
    """What became of one drop at each hop; its verdict is its worst hop's. `file` is the delivery's name."""

    dataset: str
    drop: str
    hops: tuple[HopResult, ...]
    file: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst hop's verdict."""
        return worst(hop.verdict for hop in self.hops)

    def to_json(self) -> dict[str, Any]:
        """The result as `lakegate ingest --json` prints it."""
        return {"dataset": self.dataset, "drop": self.drop, "verdict": str(self.verdict), "hops": [hop.to_json() for hop in self.hops]}


def ingest(
    session: Session,
    dataset: str,
    files: Iterable[Path],
    *,
    again: bool = False,
    supersede: bool = False,
    tell: Tell | None = None,
    on_error: OnError | None = None,
) -> list[DropResult]:
    """Receive files and carry each through all hops that follow, in the order that the contract asks for.

    Drops that had waited for these are carried too and stand at the end of the result. `tell` hears of each as it is done. With
    `supersede` each takes the place of the published drop of its name.

    Raises:
        UsageError: An unknown dataset, a path that can't be taken in, or nothing to supersede; nothing was taken in then.
        ContractError: The dataset's contract or suite is wrong.
    """
    contract = deliverable(session, dataset)
    build_suite(contract, "raw", session.settings.project)
    build_suite(contract, "processed", session.settings.project)
    if supersede and contract.write_mode != "append":
        what = f"{dataset} has writeMode {contract.write_mode}"
        raise UsageError(what, fix="deliver the corrected file as any other: its rows are the newer ones, or all that there is")
    paths = list(files)
    for path in paths:
        check_path(path)
        if supersede:
            check_corrects(session, contract, path)
    with session.at_hand():
        drops = list(
            {
                drop.sha256: drop
                for drop in (
                    receive(session, dataset, path, anew=again and contract.write_mode == "replace", supersede=supersede) for path in paths
                )
            }.values()
        )
        results: dict[tuple[str, str], DropResult] = {}
        tried: set[str] = set()
        for result in chain(
            carry(session, contract, drops, again=again, on_error=on_error),
            carry_waiting(session, dataset, tried=tried, on_error=on_error),
        ):
            if result.verdict is not Verdict.WAITING:
                tried.add(result.drop)
            results[result.dataset, result.drop] = result
            if tell is not None:
                tell(result)
    return list(results.values())


def deliverable(session: Session, dataset: str) -> Contract:
    """The contract of a dataset that files can be delivered for.

    Raises:
        UsageError: There is none, or it is a feature table's.
        ContractError: It is broken.
    """
    contract = session.catalog.get(dataset)
    if contract.kind != "dataset":
        what = f"{dataset} is a feature table, it is made from other tables"
        raise UsageError(what, fix=f"deliver files of {', '.join(contract.inputs)}")
    return contract


def carry(
    session: Session, contract: Contract, drops: list[Drop], *, again: bool = False, on_error: OnError | None = None
) -> Iterator[DropResult]:
    """Carry received drops of one dataset through all hops, in the contract's order.

    Those that meet a transient failure are tried again when the others are done, a few times, after a while that grows. Where drops
    have an order, those behind it wait for it: a raw version that comes late would have another number than if nothing had failed.
    """
    left = drops
    for wait in (*BACK_OFF, None):
        later: list[Drop] = []
        yield from _carry(session, contract, left, again=again, on_error=on_error, later=None if wait is None else later)
        if not later or wait is None:
            return
        time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  (so that those who failed together don't come back together)
        left = later


def _carry(
    session: Session, contract: Contract, drops: list[Drop], *, again: bool, on_error: OnError | None, later: list[Drop] | None
) -> Iterator[DropResult]:
    raw: dict[str, HopResult] = {}
    ordered = contract.order_by is not None or contract.write_mode == "replace"
    for number, drop in enumerate(drops):
        with _contained(session, contract.name, on_error, drop, later) as met:
            raw[drop.sha256] = carry_raw(session, contract, drop, again=again)
        if ordered and any(isinstance(error, Transient) for error in met):
            if later is not None:
                later += drops[number + 1 :]
            break

    begun = [drop for drop in drops if drop.sha256 in raw]
    for drop in in_order(session, contract, begun):
        hops, done = [raw[drop.sha256]], raw[drop.sha256].verdict in STOPPED
        if not done:
            with _contained(session, contract.name, on_error, drop, later):
                hops.append(carry_after_raw(session, contract, drop, again=again))
                done = True
            hops.extend(carry_followers(session, contract.name, on_error=on_error))
        if done:
            yield DropResult(contract.name, drop.sha256, tuple(hops), drop.name)


@contextlib.contextmanager
def _contained(
    session: Session, dataset: str, on_error: OnError | None, drop: Drop | None = None, later: list[Drop] | None = None
) -> Iterator[list[LakegateError]]:
    """What fails stops itself: a drop whose failure may go away by itself is left for `later`, of all else `on_error` is told.

    The list that it gives holds the error afterwards.
    """
    met: list[LakegateError] = []
    try:
        with disk_errors(session.settings.home.root):
            yield met
    except LakegateError as error:
        met.append(error)
        if isinstance(error, Transient) and drop is not None and later is not None:
            later.append(drop)
        elif on_error is None:
            raise
        else:
            on_error(dataset, error)


def carry_after_raw(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """The processed hop of a drop whose raw version stands, or the word that it waits, and for what."""
    done = publish.publication(session.repository, dataset=contract.name, cause=drop.sha256, table=contract.name)
    if done is None and (reason := waits_for(session, contract, drop, carry_raw=partial(carry_raw, session, contract))) is not None:
        newest = ledger.latest(session, dataset=contract.name, cause=drop.sha256, table=contract.name)
        if newest is not None and newest.state == DISCARDED and not again:
            return carry_processed(session, contract, drop)  # which says who rejected it: it waits for nothing
        if newest is None or newest.state != "waiting":
            ledger.write(
                session, dataset=contract.name, cause=drop.sha256, table=contract.name, state="waiting", key="-", body={"reason": reason}
            )
        return HopResult("processed", contract.name, Verdict.WAITING, None, {}, [], reason, cause=drop.sha256)
    result = carry_processed(session, contract, drop, again=again)
    if result.version is not None and result.verdict is not Verdict.UNCHANGED:
        settle_corrected(session, contract, drop)
    return result


def followers(session: Session, table: str) -> list[Contract]:
    """The feature tables whose SQL reads a table."""
    return [contract for contract in session.catalog.contracts.values() if contract.kind == "feature" and table in contract.inputs]


def carry_followers(session: Session, table: str, *, on_error: OnError | None = None) -> Iterator[HopResult]:
    """Every missing version of the feature tables that read `table`, and of those that read these."""
    for contract in followers(session, table):
        yield from carry_features_from(session, contract, on_error=on_error)


def carry_features_from(session: Session, contract: Contract, *, on_error: OnError | None = None) -> Iterator[HopResult]:
    """Every missing version of a feature table, and of those that read it."""
    made: HopResult | None = None
    while made is None or made.verdict not in STOPPED:
        made = None
        with _contained(session, contract.name, on_error):
            made = carry_features(session, contract)
        if made is None or made.verdict is Verdict.UNCHANGED:
            break
        yield made
        if made.verdict not in STOPPED:
            yield from carry_followers(session, contract.name, on_error=on_error)


def carry_waiting(session: Session, dataset: str | None, *, tried: set[str], on_error: OnError | None = None) -> Iterator[DropResult]:
    """Drops whose turn has come, until no more can move: those that wait, and of `dataset`, if any, also those that nobody carries.

    Each is tried once (`tried` are those that were already): one that fails stays where it is.
    """
    moved = True
    while moved:
        moved = False
        for contract in list(session.catalog.contracts.values()):
            if contract.kind != "dataset":
                continue
            waiting = waiting_drops(session, contract, stranded=contract.name == dataset)
            for drop in [drop for drop in waiting if drop.sha256 not in tried]:
                with _contained(session, contract.name, on_error):
                    if waits_for(session, contract, drop, carry_raw=partial(carry_raw, session, contract)) is None:
                        tried.add(drop.sha256)
                        yield from carry(session, contract, [drop], on_error=on_error)
                        moved = True
