"""The sensor `new_drops`: what a source delivers is received, processed and put away, with no click.

The landing folder is a source: a file put into `<home>/landing/<dataset>/`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dagster import DagsterInstance, RunRequest, SensorDefinition, SensorEvaluationContext

from assets import run_tags
from assets.partitions import partition_for
from assets.reported_versions import drop_is_reported
from assets.resource import LakegateResource
from catalog.contract import Contract
from lake.hops.receive import receive
from lake.ledger import records
from lake.ledger.receipts import Advance, Drop, last_position, pending, received
from lake.pipeline.ordering import waiting_drops, waits_for
from lake.session import Session
from lake.sources import Extract, Source
from lake.sources.archive_file import note_of
from lake.sources.landing_folder import Memory, landing_folders
from lakegate.errors import AccessError, LakegateError, Transient, unforeseen
from lakegate.media import line, message
from sensors.run_requests import Attempts, attempts, lake_sensor

BUDGET_SECONDS: Final = 20.0
"""After this long a look takes in no further file; Dagster gives up on a look after 60 seconds."""


def new_drops(lake: LakegateResource, jobs: Mapping[str, Any]) -> SensorDefinition:
    """The sensor over all sources.

    Args:
        lake: The open lake of this process.
        jobs: The job that processes a drop, by dataset; a folder without one is left alone.
    """
    names = {name: job.name for name, job in jobs.items()}

    def look(session: Session, context: SensorEvaluationContext) -> tuple[list[RunRequest], str]:
        memory = Memory.from_text(context.cursor)
        tick = Tick(session, context.instance, memory, context.log, names)
        return list(tick.requests()), memory.to_text()

    return lake_sensor(
        lake,
        jobs,
        look,
        name="new_drops",
        description="Receives each file in landing/<dataset>/ that changes no more, has its drop processed, "
        "and puts the file away.",
        idle="No drop waits for a run.",
    )


@dataclass
class Tick:
    """One look at all sources."""

    session: Session
    instance: DagsterInstance
    memory: Memory
    log: Any
    jobs: Mapping[str, str]
    """Name of the job of each dataset whose drops can be processed."""

    def requests(self) -> Iterator[RunRequest]:
        """Receive what came, put away what is done with, and request the runs that are missing."""
        run_tags.end_dead_runs(self.instance)
        until, seen = time.monotonic() + BUDGET_SECONDS, set[tuple[str, str]]()
        for source in self.sources():
            with self._isolated(source.place):
                yield from self._polled(source, seen, until=until)
        for name in self.jobs:
            with self._isolated(name):
                yield from self._waiting(name, seen)

    def sources(self) -> Iterator[Source]:
        """Whatever delivers to this lake; a source of another kind is one more line here."""
        for folder in landing_folders(self.session.settings.home.landing, self.memory, self.jobs):
            if self._is_known(folder.dataset):
                yield folder

    def _is_known(self, name: str) -> bool:
        """Whether a folder's drops can be processed; of another, why it is left alone is logged once."""
        if name not in self.jobs and self.memory.once(f"folder {name}"):
            catalog = self.session.catalog
            known = {*catalog.declared, *catalog.broken, *catalog.contracts}
            why = "its contract has a mistake" if name in known else "no contract has this name"
            self.log.warning("landing/%s/ is left alone: %s", line(name), line(why))
        return name in self.jobs

    @contextlib.contextmanager
    def _isolated(self, place: str) -> Iterator[None]:
        """Log what fails in one source or dataset, and go on to the others.

        Unless lakeFS is away, or refuses the keys: that concerns all of them.
        """
        try:
            yield
        except (Transient, AccessError):
            raise
        except Exception as error:  # noqa: BLE001  (see above)
            known = error if isinstance(error, LakegateError) else unforeseen(error)
            if self.memory.once(f"{place}: {known.what}"):
                self.log.warning("%s is left alone: %s", line(place), message(known))

    def _polled(self, source: Source, seen: set[tuple[str, str]], *, until: float) -> Iterator[RunRequest]:
        """The runs that the extracts of one source lack."""
        position = last_position(self.session, source.name)
        for extract in source.poll(position):
            if extract.drop is None and time.monotonic() > until:
                break
            try:
                contract = self.session.catalog.get(extract.dataset)
                drop = self._received(source, extract, position)
                position = extract.position
                seen.add((drop.dataset, drop.sha256))
                yield from self._delivery(contract, source, extract, drop)
            except LakegateError as error:
                if self.memory.once(f"{extract.id}: {error.what}"):
                    text = "%s of %s is left where it is: %s"
                    self.log.warning(text, line(extract.path.name), line(extract.dataset), message(error))
                if extract.position:  # those behind it would take the source past it
                    break

    def _received(self, source: Source, extract: Extract, position: str) -> Drop:
        """The drop of an extract, received if it wasn't; `position` is its source's before it."""
        if extract.drop is not None:
            return received(self.session, extract.dataset, extract.drop)
        advance = Advance(source.name, position, extract.position) if extract.position else None
        drop = receive(self.session, extract.dataset, extract.path, advance=advance)
        source.received(extract, drop.sha256)
        return drop

    def _delivery(
        self, contract: Contract, source: Source, extract: Extract, drop: Drop
    ) -> Iterator[RunRequest]:
        """The run that a delivery lacks; it is put away where it lacks none."""
        tags, file = run_tags.tags_for(contract, **{run_tags.DELIVERY: extract.id}), extract.path.name
        tried = attempts(self.instance, tags)
        if tried.running:
            return
        partition = partition_for(self.instance, drop)
        if self._done(contract, drop, partition):
            if source.put_away(extract, drop.sha256):
                self.log.info("%s of %s is published", line(file), line(contract.name))
        elif tried.blocked:
            self._block(contract, source, extract, drop)
        elif tried.spent:
            if self.memory.once(f"spent {extract.id} {contract.hash}"):
                text = "%s of %s failed %s times (%s) and is left where it is"
                last = tried.last or "killed"
                self.log.error(text, line(file), line(contract.name), line(tried.failed), line(last))
        elif not tried.made or self._turn_has_come(contract, drop):
            # The first run does not ask whose turn it is: the raw hop comes at once on arrival.
            yield self._request(contract, drop, partition, tried, tags)

    def _done(self, contract: Contract, drop: Drop, partition: str) -> bool:
        """Whether this delivery's drop is published and Dagster knows, or a later drop replaced it."""
        if drop.sha256 in pending(self.session, contract.name):
            return False
        return drop_is_reported(self.session, self.instance, contract, drop.sha256, partition)

    def _turn_has_come(self, contract: Contract, drop: Drop) -> bool:
        """Whether nothing holds a drop up, as far as the published raw versions show."""
        return waits_for(self.session, contract, drop, carry_raw=lambda _: None) is None

    def _block(self, contract: Contract, source: Source, extract: Extract, drop: Drop) -> None:
        newest = records.latest(self.session, dataset=contract.name, cause=drop.sha256)
        body = records.read(self.session, newest) if newest is not None else {}
        held = newest is not None and newest.state == "held"
        file, reason, rules = extract.path.name, body.get("reason", "see the run"), body.get("rules", [])
        note = note_of(contract, file, drop=drop.sha256, reason=reason, rules=rules, held=held)
        if source.put_away(extract, drop.sha256, note=note):
            text = "%s of %s is blocked; the note beside it says why"
            self.log.warning(text, line(file), line(contract.name))

    def _waiting(self, name: str, seen: set[tuple[str, str]]) -> Iterator[RunRequest]:
        """Drops that wait and that no source shows: `lakegate ingest` took them in, or died with them."""
        contract = self.session.catalog.get(name)
        for drop in waiting_drops(self.session, contract, stranded=True):
            tags = run_tags.tags_for(contract, **{run_tags.DROP: drop.sha256})
            tried = attempts(self.instance, tags)
            approved = tried.last == run_tags.HELD  # else it would not be among those that wait
            spent = tried.spent and not approved
            shown = (drop.dataset, drop.sha256) in seen
            if not shown and not tried.running and not spent and self._turn_has_come(contract, drop):
                yield self._request(contract, drop, partition_for(self.instance, drop), tried, tags)

    def _request(
        self, contract: Contract, drop: Drop, partition: str, tried: Attempts, tags: dict[str, str]
    ) -> RunRequest:
        what = f"{drop.sha256[:12]}:{tags.get(run_tags.DELIVERY, 'waiting')}"
        tags = tags | {run_tags.DROP: drop.sha256}
        return tried.next_run(self.jobs[contract.name], contract, what, tags, partition=partition)
