"""The sensor `new_drops`: a file put into `<home>/landing/<dataset>/` is received, carried and put away, with no click."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets import runs
from assets.known import settled as published_and_told
from assets.known import standing
from assets.partitions import partition_for
from assets.resource import LakegateResource
from catalog.contract import Contract
from lake.hops.receive import receive
from lake.ledger import records
from lake.ledger.receipts import Drop, pending, received
from lake.pipeline.ordering import waiting_drops, waits_for
from lake.session import Session
from lakegate.errors import AccessError, LakegateError, Transient, unforeseen
from lakegate.media import line, message
from sensors.attempts import Attempts, attempts
from sensors.away import BLOCKED, DONE, note_of, put_away
from sensors.folder import Delivery, Look, Memory, dataset_folders, forget_gone, settled

INTERVAL_SECONDS: Final = 5
BUDGET_SECONDS: Final = 20.0
"""After this long a look takes in no further file; Dagster gives up on a look after 60 seconds."""


def new_drops(lake: LakegateResource, jobs: Mapping[str, Any]) -> SensorDefinition:
    """The sensor over the landing folder.

    Args:
        lake: The open lake of this process.
        jobs: The job that carries a drop, by dataset; a folder without one is left alone.
    """

    @sensor(
        name="new_drops",
        jobs=list(jobs.values()),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Receives each file in landing/<dataset>/ that stands still, has its drop carried, and puts the file away.",
    )
    def body(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        memory = Memory.from_text(context.cursor)
        try:
            tick = Tick(lake.session, context.instance, memory, context.log, {name: job.name for name, job in jobs.items()})
            requests = list(tick.requests())
        except LakegateError as error:
            return SkipReason(message(error))
        return SensorResult(run_requests=requests, cursor=memory.to_text(), skip_reason=None if requests else "Nothing to carry.")

    return body


@dataclass
class Tick:
    """One look at the landing folder."""

    session: Session
    instance: DagsterInstance
    memory: Memory
    log: Any
    jobs: Mapping[str, str]
    """Name of the job of each dataset that can be carried."""

    def requests(self) -> Iterator[RunRequest]:
        """Receive what stands still, put away what is done with, and ask for the runs that are missing."""
        runs.end_dead_runs(self.instance)
        landing, start = self.session.settings.home.landing, time.monotonic()
        for name in self.jobs:
            (landing / name).mkdir(exist_ok=True)
        forget_gone(landing, self.memory)
        for folder in dataset_folders(landing):
            yield from self._contained(folder.name, self._folder(folder, until=start + BUDGET_SECONDS))

    def _contained(self, name: str, requests: Iterator[RunRequest]) -> Iterator[RunRequest]:
        """What one dataset asks for; whatever fails there, others are looked at, unless lakeFS is away, or refuses the keys, for all of them."""
        try:
            yield from requests
        except (Transient, AccessError):
            raise
        except Exception as error:  # noqa: BLE001  (see above)
            told = error if isinstance(error, LakegateError) else unforeseen(error)
            if self.memory.once(f"{name}: {told.what}"):
                self.log.warning("landing/%s/ is left alone: %s", line(name), message(told))

    def _folder(self, folder: Path, *, until: float) -> Iterator[RunRequest]:
        """What the files of one dataset, and its drops that wait, ask for."""
        if (contract := self._contract(folder.name)) is None:
            return
        seen: set[str] = set()
        for delivery in settled(folder, self.memory, now=time.time()):
            if delivery.look.drop is None and time.monotonic() > until:
                break
            try:
                drop = self._received(contract, delivery)
                seen.add(drop.sha256)
                yield from self._delivery(contract, delivery, drop)
            except LakegateError as error:
                if self.memory.once(f"{delivery.id}: {error.what}"):
                    self.log.warning("%s of %s is left where it is: %s", line(delivery.path.name), line(contract.name), message(error))
        yield from self._waiting(contract, seen)

    def _contract(self, name: str) -> Contract | None:
        if name in self.jobs:
            return self.session.catalog.get(name)
        if self.memory.once(f"folder {name}"):
            catalog = self.session.catalog
            known = {*catalog.declared, *catalog.broken, *catalog.contracts}
            why = "its contract has a mistake" if name in known else "no contract has this name"
            self.log.warning("landing/%s/ is left alone: %s", line(name), line(why))
        return None

    def _received(self, contract: Contract, delivery: Delivery) -> Drop:
        look = delivery.look
        if look.drop is not None:
            return received(self.session, contract.name, look.drop)
        drop = receive(self.session, contract.name, delivery.path)
        name = f"{delivery.dataset}/{delivery.path.name}"
        self.memory.files[name] = Look(look.size, look.modified, look.inode, look.since, drop.sha256)
        return drop

    def _delivery(self, contract: Contract, delivery: Delivery, drop: Drop) -> Iterator[RunRequest]:
        tags = runs.tags_for(contract, **{runs.DELIVERY: delivery.id})
        tried = attempts(self.instance, tags)
        if tried.running:
            return
        partition = partition_for(self.instance, drop)
        if self._done(contract, drop, partition):
            if put_away(delivery, DONE, drop=drop.sha256):
                self.log.info("%s of %s is published", line(delivery.path.name), line(contract.name))
        elif tried.blocked:
            self._block(contract, delivery, drop)
        elif tried.spent:
            if self.memory.once(f"spent {delivery.id} {contract.hash}"):
                text = "%s of %s failed %s times (%s) and is left where it is"
                self.log.error(text, line(delivery.path.name), line(contract.name), line(tried.failed), line(tried.last or "killed"))
        elif not tried.made or self._turn_has_come(contract, drop):
            # The first run does not ask whose turn it is: the raw hop comes at once on arrival.
            yield self._request(contract, drop, partition, tried, tags)

    def _done(self, contract: Contract, drop: Drop, partition: str) -> bool:
        """Whether the drop was published after this delivery, and Dagster knows unless a later drop replaced it."""
        if drop.sha256 in pending(self.session, contract.name):
            return False
        replaced = standing(self.session, contract, drop.sha256, contract.name) is None
        return replaced or published_and_told(self.session, self.instance, contract, drop.sha256, partition) is not None

    def _turn_has_come(self, contract: Contract, drop: Drop) -> bool:
        """Whether nothing holds a drop up, as far as the raw versions that stand can tell."""
        return waits_for(self.session, contract, drop, carry_raw=lambda _: None) is None

    def _block(self, contract: Contract, delivery: Delivery, drop: Drop) -> None:
        newest = records.latest(self.session, dataset=contract.name, cause=drop.sha256)
        body = records.read(self.session, newest) if newest is not None else {}
        held = newest is not None and newest.state == "held"
        note = note_of(
            contract, delivery, drop=drop.sha256, reason=body.get("reason", "see the run"), rules=body.get("rules", []), held=held
        )
        if put_away(delivery, BLOCKED, drop=drop.sha256, note=note):
            self.log.warning("%s of %s is blocked; the note beside it says why", line(delivery.path.name), line(contract.name))

    def _waiting(self, contract: Contract, seen: set[str]) -> Iterator[RunRequest]:
        """Drops that wait without a file in the folder, such as those that `lakegate ingest` took in, or died with."""
        for drop in waiting_drops(self.session, contract, stranded=True):
            tags = runs.tags_for(contract, **{runs.DROP: drop.sha256})
            tried = attempts(self.instance, tags)
            approved = tried.last == runs.HELD  # else it would not be among those that wait
            spent = tried.spent and not approved
            if drop.sha256 not in seen and not tried.running and not spent and self._turn_has_come(contract, drop):
                yield self._request(contract, drop, partition_for(self.instance, drop), tried, tags)

    def _request(self, contract: Contract, drop: Drop, partition: str, tried: Attempts, tags: dict[str, str]) -> RunRequest:
        what = tags.get(runs.DELIVERY, "waiting")
        return RunRequest(
            run_key=f"{contract.name}:{drop.sha256[:12]}:{what}:{contract.hash[:12]}:{tried.made + 1}",
            job_name=self.jobs[contract.name],
            partition_key=partition,
            tags=tags | {runs.DROP: drop.sha256} | runs.BEFORE_BACKFILLS,
        )
