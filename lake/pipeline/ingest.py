"""A drop through all its hops: raw, processed, and the features that follow; then drops that waited."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from catalog.contract import Contract
from expectations.verdict import STOPPED, Verdict, worst
from lake.hops.job import HopResult
from lake.hops.open_drops import datasets_with_open
from lake.hops.raw import carry_raw
from lake.hops.receive import receive
from lake.ledger.receipts import Drop
from lake.pipeline.call_checks import check_call
from lake.pipeline.downstream import OnError, carry_followers, isolate_failures
from lake.pipeline.ordering import carry_after_raw, in_order, order_of, waiting_drops, waits_for
from lake.session import Session
from lakegate.errors import ContractError, LakegateError, Transient

Tell = Callable[["DropResult"], None]
TOGETHER: Final = 32
"""Files that are received before the first is judged, without an order: more would fill disk and memory."""
BACK_OFF: Final = (1.0, 4.0)
"""Seconds before each new try of drops that met a transient failure; half as much more or less by chance."""


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
        hops = [hop.to_json() for hop in self.hops]
        return {"dataset": self.dataset, "drop": self.drop, "verdict": str(self.verdict), "hops": hops}


def ingest(
    session: Session,
    dataset: str,
    files: Iterable[Path],
    *,
    again: bool = False,
    supersede: bool = False,
    tell: Tell = lambda _: None,
    on_error: OnError | None = None,
) -> list[DropResult]:
    """`ingest_all` of the files of one dataset, with the same options and errors."""
    deliveries = {dataset: list(files)}
    return ingest_all(session, deliveries, again=again, supersede=supersede, tell=tell, on_error=on_error)


def ingest_all(
    session: Session,
    deliveries: Mapping[str, Sequence[Path]],
    *,
    again: bool = False,
    supersede: bool = False,
    tell: Tell = lambda _: None,
    on_error: OnError | None = None,
) -> list[DropResult]:
    """Receive files of several datasets and process each through all its hops, in its contract's order.

    Datasets come one after the other, and what stops one stops no other. Then follow the drops that waited.

    Args:
        session: The open lake.
        deliveries: The files of each dataset.
        again: Judge again what was judged.
        supersede: Each file replaces the published drop of its name.
        tell: Gets each result as it is done.
        on_error: Gets each error that stops something; without it the first such error is raised.

    Raises:
        UsageError: An unknown dataset, a path that can't be taken in, or nothing to supersede; nothing was
            taken in.
        ContractError: The contract or suite of the only dataset is wrong.
    """
    contracts: dict[str, Contract] = {}
    for dataset, paths in deliveries.items():
        try:
            contracts[dataset] = check_call(session, dataset, paths, supersede=supersede)
        except ContractError as error:
            if on_error is None or len(deliveries) == 1:
                raise
            on_error(dataset, error)
    results, tried = dict[tuple[str, str], DropResult](), set[str]()
    with session.caching():
        for dataset, contract in contracts.items():
            work = partial(_carry_files, again=again, supersede=supersede, on_error=on_error)
            for result in work(session, contract, deliveries[dataset], tried):
                if result.verdict is Verdict.WAITING:
                    tried.discard(result.drop)
                results[result.dataset, result.drop] = result
                tell(result)
    return list(results.values())


def _carry_files(
    session: Session,
    contract: Contract,
    paths: Sequence[Path],
    tried: set[str],
    *,
    again: bool,
    supersede: bool,
    on_error: OnError | None,
) -> Iterator[DropResult]:
    """Receive files and process them, some at a time, then the drops that waited for these.

    Where the contract orders drops, and of full deliveries, all are received first: their order decides what
    is published.
    """
    full, known = contract.write_mode == "replace", set[str]()
    together = (len(paths) or 1) if full or contract.order_by is not None else TOGETHER
    with isolate_failures(session, contract.name, on_error):
        for first in range(0, len(paths), together):
            drops: dict[str, Drop] = {}
            for path in paths[first : first + together]:
                drop = receive(session, contract.name, path, anew=again and full, supersede=supersede)
                if drop.sha256 not in known:
                    drops[drop.sha256] = drop
            known |= drops.keys()
            tried.update(drops)  # in place: the caller takes out those that wait
            yield from process_drops(session, contract, list(drops.values()), again=again, on_error=on_error)
    yield from carry_waiting(session, contract.name, tried=tried, on_error=on_error)


def process_drops(
    session: Session,
    contract: Contract,
    drops: list[Drop],
    *,
    again: bool = False,
    on_error: OnError | None = None,
) -> Iterator[DropResult]:
    """Process received drops of one dataset through all hops, in the contract's order.

    After a transient failure a drop is tried again behind the others. Where the contract orders drops, those
    behind it wait: raw versions then have the same numbers as without the failure. So do full deliveries
    until the last try: a late older one would never be a version.

    Args:
        session: The open lake.
        contract: The dataset's.
        drops: The drops.
        again: Judge again what was judged.
        on_error: Gets each error that stops a drop; without it the first one is raised.
    """
    left, raw = drops, dict[str, HopResult]()
    work = partial(_carry, session, contract, again=again, on_error=on_error)
    for wait in BACK_OFF:
        later: list[Drop] = []
        yield from work(left, raw, later=later)
        if not later:
            return
        time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  (several processes must not retry at once)
        left = later
    yield from work(left, raw, later=None)


def _carry(
    session: Session,
    contract: Contract,
    drops: list[Drop],
    raw: dict[str, HopResult],
    *,
    again: bool,
    on_error: OnError | None,
    later: list[Drop] | None,
) -> Iterator[DropResult]:
    """One try of each drop; `raw` gets raw's results, `later` drops to try again (None: the last try)."""
    full = contract.write_mode == "replace"
    for number, drop in enumerate(drops):
        if drop.sha256 in raw:
            continue
        with isolate_failures(session, contract.name, on_error, drop, later) as met:
            raw[drop.sha256] = carry_raw(session, contract, drop, again=again)
        if _is_transient(met) and (contract.order_by is not None or (full and later is not None)):
            if later is not None:
                later += [behind for behind in drops[number + 1 :] if behind.sha256 not in raw]
            break
    begun = in_order(session, contract, [drop for drop in drops if drop.sha256 in raw])
    for number, drop in enumerate(begun):
        hops = [raw[drop.sha256]]
        if hops[0].verdict not in STOPPED:
            with isolate_failures(session, contract.name, on_error, drop, later) as met:
                hops.append(carry_after_raw(session, contract, drop, again=again))
            hops.extend(carry_followers(session, contract.name, on_error=on_error))
            if full and later is not None and _is_transient(met):
                later += begun[number + 1 :]
                return
            if met:
                continue
        yield DropResult(contract.name, drop.sha256, tuple(hops), drop.name)


def _is_transient(met: list[LakegateError]) -> bool:
    """Whether another try may help."""
    return any(isinstance(error, Transient) for error in met)


def carry_waiting(
    session: Session, dataset: str | None, *, tried: set[str], on_error: OnError | None = None
) -> Iterator[DropResult]:
    """Process the drops whose turn has come, until no more can move.

    Each is tried once. One that fails stays where it is; where the contract orders drops, so do those behind
    it.

    Args:
        session: The open lake.
        dataset: Of this dataset also the drops that no process works on.
        tried: The drops that were tried already; gets more.
        on_error: Gets each error that stops a drop.
    """
    moved = True
    while moved:
        moved, opened = False, datasets_with_open(session)
        for contract in [contract for contract in session.catalog.datasets if contract.name in opened]:
            for drop in waiting_drops(session, contract, stranded=contract.name == dataset):
                if drop.sha256 in tried:
                    if contract.order_by is not None and order_of(session, contract, drop.sha256) is None:
                        break
                    continue
                results: list[DropResult] = []
                with isolate_failures(session, contract.name, on_error):
                    if waits_for(session, contract, drop, carry_raw=partial(carry_raw, session, contract)):
                        continue
                    tried.add(drop.sha256)
                    moved = True
                    results += process_drops(session, contract, [drop], on_error=on_error)
                yield from results
                if not results and contract.order_by is not None:
                    break
