"""A drop through all its hops: raw, processed, and the features that follow; then whoever waited for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.verdict import STOPPED, Verdict, worst
from lake.hops.file_names import check_appends, check_corrects
from lake.hops.job import HopResult
from lake.hops.open_drops import datasets_with_open
from lake.hops.raw import carry_raw
from lake.hops.receive import check_path, receive
from lake.ledger.receipts import Drop
from lake.pipeline.downstream import OnError, carry_followers, isolate_failures
from lake.pipeline.ordering import carry_after_raw, in_order, order_of, waiting_drops, waits_for
from lake.session import Session
from lakegate.errors import ContractError, LakegateError, Transient, UsageError

Tell = Callable[["DropResult"], None]
TOGETHER: Final = 32
"""Files that are received before the first of them is judged, where nobody asks for an order: more would be more on disk, in memory and open."""
BACK_OFF: Final = (1.0, 4.0)
"""Seconds before drops that met a transient failure are tried again, and again; half as much more or less by chance."""


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
        return {
            "dataset": self.dataset,
            "drop": self.drop,
            "verdict": str(self.verdict),
            "hops": [hop.to_json() for hop in self.hops],
        }


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
    """Receive files of one dataset and carry each through all hops that follow: `ingest_all` of it alone, with the same errors."""
    return ingest_all(
        session, {dataset: list(files)}, again=again, supersede=supersede, tell=tell, on_error=on_error
    )


def ingest_all(
    session: Session,
    deliveries: Mapping[str, Sequence[Path]],
    *,
    again: bool = False,
    supersede: bool = False,
    tell: Tell = lambda _: None,
    on_error: OnError | None = None,
) -> list[DropResult]:
    """Receive files of several datasets and carry each through all hops that follow, in the order that its contract asks for.

    Datasets come one after the other, and what stops one stops no other. Drops that had waited for these are carried too.

    Args:
        session: The open lake.
        deliveries: The files of each dataset.
        again: Judge again what was judged.
        supersede: Each file takes the place of the published drop of its name.
        tell: Hears of each result as it is done.
        on_error: Told of what stopped; without it the first such error is raised.

    Raises:
        UsageError: An unknown dataset, a path that can't be taken in, or nothing to supersede; nothing was taken in then.
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
    results: dict[tuple[str, str], DropResult] = {}
    with session.caching():
        tried: set[str] = set()
        for dataset, contract in contracts.items():
            for result in _carry_files(
                session,
                contract,
                deliveries[dataset],
                tried,
                again=again,
                supersede=supersede,
                on_error=on_error,
            ):
                if result.verdict is Verdict.WAITING:
                    tried.discard(result.drop)
                results[result.dataset, result.drop] = result
                tell(result)
    return list(results.values())


def check_call(session: Session, dataset: str, paths: Iterable[Path], *, supersede: bool) -> Contract:
    """The contract of a dataset that files are to be taken in for.

    Raises:
        UsageError: There is none, a path can't be taken in, or there is nothing to supersede.
        ContractError: It is broken, or a suite of its rules is.
    """
    contract = require_dataset(session, dataset)
    build_suite(contract, "raw", session.settings.project)
    build_suite(contract, "processed", session.settings.project)
    if supersede:
        check_appends(contract)
    for path in paths:
        check_path(path)
        if supersede:
            check_corrects(session, contract, path)
    return contract


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
    """Receive files and carry them, some at a time, then whoever waited for these.

    Where the contract orders drops all are received first, and so are full deliveries: all of them decide what is published, and when.
    """
    anew, known = again and contract.write_mode == "replace", set[str]()
    together = TOGETHER if contract.order_by is None and contract.write_mode != "replace" else len(paths)
    with isolate_failures(session, contract.name, on_error):
        for first in range(0, len(paths), together or 1):
            received = [
                receive(session, contract.name, path, anew=anew, supersede=supersede)
                for path in paths[first : first + together]
            ]
            drops = {drop.sha256: drop for drop in received if drop.sha256 not in known}
            known |= drops.keys()
            tried.update(drops)  # in place: whoever called takes those out again that wait
            yield from process_drops(session, contract, list(drops.values()), again=again, on_error=on_error)
    yield from carry_waiting(session, contract.name, tried=tried, on_error=on_error)


def require_dataset(session: Session, dataset: str) -> Contract:
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


def process_drops(
    session: Session,
    contract: Contract,
    drops: list[Drop],
    *,
    again: bool = False,
    on_error: OnError | None = None,
) -> Iterator[DropResult]:
    """Carry received drops of one dataset through all hops, in the contract's order.

    Those that meet a transient failure are tried again when the others are done, a few times, after a while that grows. Where the
    contract orders drops, those behind it wait for it: a raw version that comes late would have another number than if nothing had
    failed. So do full deliveries, until its last try: of two that come late the older one would never be a version.
    """
    left, raw = drops, dict[str, HopResult]()
    for wait in (*BACK_OFF, None):
        later: list[Drop] = []
        yield from _carry(
            session,
            contract,
            left,
            raw,
            again=again,
            on_error=on_error,
            later=None if wait is None else later,
        )
        if not later or wait is None:
            return
        time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  (so that those who failed together don't come back together)
        left = later


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
    """One try of each; `raw` is what became of those whose raw hop is done, `later` of those to be tried again."""
    full = contract.write_mode == "replace"
    for number, drop in enumerate(drops):
        if drop.sha256 in raw:
            continue
        with isolate_failures(session, contract.name, on_error, drop, later) as met:
            raw[drop.sha256] = carry_raw(session, contract, drop, again=again)
        if _failed(met) and (contract.order_by is not None or (full and later is not None)):
            if later is not None:
                later += [behind for behind in drops[number + 1 :] if behind.sha256 not in raw]
            break

    begun = in_order(session, contract, [drop for drop in drops if drop.sha256 in raw])
    for number, drop in enumerate(begun):
        hops, done = [raw[drop.sha256]], raw[drop.sha256].verdict in STOPPED
        if not done:
            with isolate_failures(session, contract.name, on_error, drop, later) as met:
                hops.append(carry_after_raw(session, contract, drop, again=again))
                done = True
            hops.extend(carry_followers(session, contract.name, on_error=on_error))
            if full and later is not None and _failed(met):
                later += begun[number + 1 :]
                break
        if done:
            yield DropResult(contract.name, drop.sha256, tuple(hops), drop.name)


def _failed(met: list[LakegateError]) -> bool:
    """Whether another try may help."""
    return any(isinstance(error, Transient) for error in met)


def carry_waiting(
    session: Session, dataset: str | None, *, tried: set[str], on_error: OnError | None = None
) -> Iterator[DropResult]:
    """Drops whose turn has come, until no more can move: those that wait, and of `dataset`, if any, also those that nobody carries.

    Each is tried once (`tried` are those that were already): one that fails stays where it is, and where the contract orders drops so
    do those behind it.
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
                    if (
                        waits_for(session, contract, drop, carry_raw=partial(carry_raw, session, contract))
                        is not None
                    ):
                        continue
                    tried.add(drop.sha256)
                    moved = True
                    results += process_drops(session, contract, [drop], on_error=on_error)
                yield from results
                if not results and contract.order_by is not None:
                    break
