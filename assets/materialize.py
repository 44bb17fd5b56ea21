"""Deliveries carried through their assets in this process: what `lakegate demo` and `lakegate ingest` do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dagster import DagsterInstance

from assets import runs
from assets.in_process import InProcess
from assets.instance import open_instance
from assets.known import behind, settled
from assets.partitions import partition_for
from assets.waiting import turn_has_come
from catalog.contract import Contract, Hop
from expectations.verdict import Verdict
from lake.hops.job import HopResult
from lake.hops.raw import carry_raw
from lake.hops.receive import check_path, receive
from lake.ledger.receipts import Drop
from lake.pipeline.downstream import OnError, followers
from lake.pipeline.ingest import DropResult, Tell, require_dataset
from lake.pipeline.ordering import in_order, waiting_drops
from lake.session import Session
from lake.versions.publish import Published, manifest_counts
from lakegate.errors import ContractError, LakegateError


def materialize_drops(
    session: Session,
    deliveries: Sequence[tuple[str, Path]],
    *,
    on_result: Tell = lambda _: None,
    on_error: OnError | None = None,
    instance: DagsterInstance | None = None,
) -> list[DropResult]:
    """Receive files and materialize the assets of their drops, and of the features that follow.

    All files are received first. A drop that was published, and of which Dagster was told, does no work. Datasets come
    in the order in which they are first named, drops in the contract's order; drops that had waited for these stand
    at the end. What stops one dataset stops no other.

    Args:
        session: The open lake.
        deliveries: (dataset, file) pairs.
        on_result: Called with each drop's result as soon as it stands.
        on_error: Called with each dataset that stopped and why; without it the first such error is raised at the end.
        instance: Where runs are recorded; the home's by default.

    Raises:
        UsageError: A dataset is unknown, or a path can't be taken in; nothing was taken in then.
    """
    for dataset, path in deliveries:
        with contextlib.suppress(ContractError):  # stops its own dataset, later
            require_dataset(session, dataset)
        check_path(path)
    if instance is not None:
        return _Carrier(session, instance, on_result, on_error).carry(deliveries)
    with open_instance(session.settings) as opened:
        return _Carrier(session, opened, on_result, on_error).carry(deliveries)


class _Carrier:
    def __init__(self, session: Session, instance: DagsterInstance, on_result: Tell, on_error: OnError | None) -> None:
        self.session, self.instance, self.on_result, self.on_error = session, instance, on_result, on_error
        self.runs = InProcess(session, instance)
        self.first: LakegateError | None = None
        self.results: dict[tuple[str, str], DropResult] = {}
        self.stopped: set[str] = set()
        self.tried: set[str] = set()
        """Waiting drops that were carried here; each is tried once."""

    def carry(self, deliveries: Sequence[tuple[str, Path]]) -> list[DropResult]:
        runs.end_dead_runs(self.instance)
        with self.session.caching():
            for dataset, drops in self._receive(deliveries).items():
                self._dataset(self.session.catalog.get(dataset), drops)
        self._catch_up()
        while self._waiting():
            pass
        if self.first is not None and self.on_error is None:
            raise self.first
        return list(self.results.values())

    def _receive(self, deliveries: Iterable[tuple[str, Path]]) -> dict[str, list[Drop]]:
        found: dict[str, dict[str, Drop]] = {}
        for dataset, path in deliveries:
            if dataset in self.stopped:
                continue
            try:
                contract = self._contract(dataset)
                drop = receive(self.session, dataset, path)
            except LakegateError as error:
                self._stop(dataset, error)
                continue
            found.setdefault(contract.name, {})[drop.sha256] = drop
        return {dataset: list(drops.values()) for dataset, drops in found.items()}

    def _contract(self, dataset: str) -> Contract:
        if (error := self.runs.errors.get(dataset)) is not None:
            raise error
        return self.session.catalog.get(dataset)

    def _stop(self, dataset: str, error: LakegateError) -> None:
        self.stopped.add(dataset)
        self.first = self.first or error
        if self.on_error is not None:
            self.on_error(dataset, error)

    def _dataset(self, contract: Contract, drops: list[Drop]) -> None:
        """Every drop of one dataset: raw first for all where their order is only known after it."""
        try:
            partitions = {drop.sha256: partition_for(self.instance, drop) for drop in drops}
            idle = {
                drop.sha256: [_unchanged(published) for published in found]
                for drop in drops
                if (found := settled(self.session, self.instance, contract, drop.sha256, partitions[drop.sha256]))
            }
            busy = [drop for drop in drops if drop.sha256 not in idle]
            # Dagster is told of the raw versions by the runs that follow, one per drop.
            ahead = busy if contract.order_by is not None and len(busy) > 1 else []
            raw = {drop.sha256: carry_raw(self.session, contract, drop) for drop in ahead}
            ordered = in_order(self.session, contract, drops)
            for drop in ordered:
                hops = idle.get(drop.sha256) or self._drop(contract, drop, partitions[drop.sha256], raw.get(drop.sha256))
                # Features are looked at once for all drops that did nothing.
                follow = drop.sha256 not in idle or drop is ordered[-1]
                self._result(contract, drop, hops, follow=follow)
        except LakegateError as error:
            self._stop(contract.name, error)

    def _drop(self, contract: Contract, drop: Drop, partition: str, raw: HopResult | None) -> list[HopResult]:
        hops = self.runs.run(contract, partition=partition, drop=drop.sha256)
        return [raw, *hops[1:]] if raw is not None else hops

    def _result(self, contract: Contract, drop: Drop, hops: list[HopResult], *, follow: bool) -> None:
        followed = list(self._follow(contract.name)) if follow and hops[-1].version else []
        result = DropResult(contract.name, drop.sha256, (*hops, *followed), drop.name)
        self.results[contract.name, drop.sha256] = result
        self.on_result(result)

    def _follow(self, table: str) -> Iterator[HopResult]:
        """The features that read a table, and those that read these, as far as a version of them is missing."""
        for contract in followers(self.session, table):
            if contract.name in self.stopped:
                continue
            try:
                if contract.name in self.runs.errors:
                    raise self.runs.errors[contract.name]
                if behind(self.session, self.instance, contract) is not None:
                    yield from self.runs.run(contract)
            except LakegateError as error:
                self._stop(contract.name, error)
            else:
                yield from self._follow(contract.name)

    def _catch_up(self) -> None:
        """Tell of features that were made, and untold, before an earlier process was killed."""
        for contract in self.session.catalog.features:
            for _ in self._follow(contract.driver or contract.inputs[0]):
                pass

    def _waiting(self) -> bool:
        """Carry the drops whose turn has come; whether there were any."""
        moved = False
        for contract in self.session.catalog.datasets:
            if contract.name in self.stopped or contract.name in self.runs.errors:
                continue
            for drop in waiting_drops(self.session, contract, stranded=True):
                if drop.sha256 not in self.tried and turn_has_come(self.session, contract, drop):
                    self.tried.add(drop.sha256)
                    self._dataset(contract, [drop])
                    moved = contract.name not in self.stopped
        return moved


def _unchanged(published: Published) -> HopResult:
    manifest, table = published.manifest, published.name.table
    hop: Hop = "raw" if manifest.hop == "raw" else "processed"
    counts, rules = manifest_counts(manifest), manifest.rules
    return HopResult(
        hop, table, Verdict.UNCHANGED, str(published.name), counts, rules, content_hash=manifest.content_hash, cause=manifest.drop
    )
