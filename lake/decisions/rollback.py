"""Rollback: the state of an earlier version, published as a new one. The drops that it takes out are withdrawn and may come again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.drift.version_histograms import keep_rolled_back
from lake.hops.file_names import name_path_of
from lake.hops.gate_records import published_before
from lake.hops.job import HopOutput, HopResult, Job
from lake.hops.no_rows_taken import still_none
from lake.hops.published import REBUILT, finish_interrupted, published_version
from lake.hops.runner import run_hop
from lake.lakefs.repository import MAIN
from lake.ledger.repair import REINSTATED, WITHDRAWN, displaced_drops
from lake.ledger.version_records import use_bytes
from lake.runtime.identity import current_user
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.data_files import list_table
from lake.tables.quarantine import latest_manifest
from lake.tables.reader import read_files
from lake.tables.writer import restore_files
from lake.versions import publish
from lake.versions.origin import ROLLS_BACK, TO
from lake.versions.publish import ENDED, Candidate
from lakegate.errors import ContractError, Expired, IntegrityError, UsageError
from lakegate.manifest import Counts, Manifest, Parent
from lakegate.names import VersionName


@dataclass(frozen=True)
class RolledBack:
    """The new version; drops that are withdrawn, or stand again; and versions of other tables made from what is no longer the state."""

    hop: HopResult
    withdrawn: list[str]
    reinstated: list[str]
    built_on: list[str]


def roll_back(session: Session, name: VersionName, *, reason: str) -> RolledBack:
    """Publish the state of a version as the table's next.

    Raises:
        UsageError: No reason was given, there is no such version, it is the latest, or the table is none that rows are written to.
    """
    contract = _contract(session, name.table)
    if not reason.strip():
        raise UsageError("a rollback needs a reason", fix="add --reason, which is kept on record")
    with session.lease(contract.name):
        finish_interrupted(session, contract.name)
        latest = latest_manifest(session, contract.name)
        if latest is None or name.number >= latest.version:
            what = (
                f"{name} is the latest version"
                if latest and name.number == latest.version
                else f"there is no {name}"
            )
            raise UsageError(what, fix=f"`lakegate versions {contract.name}` lists what was published")
        if latest.source.get(TO) == str(name) and ROLLS_BACK in latest.source:
            done = published_before(session, latest, "rollback")
            return RolledBack(
                done, latest.source[WITHDRAWN], latest.source[REINSTATED], _built_on(session, name)
            )
        suite = build_suite(contract, "processed", session.settings.project)
        work = _Rollback(
            session, contract, suite, latest, published_version(session, name).manifest, reason.strip()
        )
        job = work.job()
        if (columns := job.schema) != work.target.schema:
            told = ", ".join(f"{item['name']} {item['type']}" for item in work.target.schema)
            what = f"{contract.name} has other columns now than {name} ({told}; now {', '.join(item['name'] for item in columns)})"
            raise ContractError(what, where=str(contract.path), fix="put them back in the contract first")
        return RolledBack(
            run_hop(session, job), job.source[WITHDRAWN], job.source[REINSTATED], _built_on(session, name)
        )


def _contract(session: Session, table: str) -> Contract:
    contract = session.catalog.get(table)
    if contract.kind == "feature":
        what = f"{table} is made from {', '.join(contract.inputs)}, and would be made again at once"
        raise UsageError(
            what, fix="roll these back, or change its SQL or contract: its next version is made by them"
        )
    return contract


@dataclass(frozen=True)
class _Drop:
    """A drop whose publish stands now or did in the target, not both: its record's path, and that record as it is and (there) was.

    What was is told by manifests and ledger entries, which nothing is ever written over: of a tree that is history a clean-up leaves those.
    """

    drop: str
    name: str
    path: str
    now: dict[str, Any]
    then: dict[str, Any] | None


@dataclass(frozen=True)
class _Rollback:
    session: Session
    contract: Contract
    suite: Suite
    latest: Manifest
    target: Manifest
    reason: str

    def changed(self) -> list[_Drop]:
        """The drops that stand now and don't in the target, or the other way round, by the version that they were published as."""
        repository, table, stood = self.session.repository, self.contract.name, dict[str, bool]()
        for number in range(self.target.version + 1, self.latest.version + 1):
            made = publish.manifest_at(repository, MAIN, VersionName(table, number))
            for drop in filter(
                None, (made.drop, *displaced_drops(made.source))
            ):  # what first became of it tells how it was before
                stood.setdefault(drop, drop != made.drop and drop not in made.source.get(REINSTATED, []))
        found = []
        for drop, then in stood.items():
            path = paths.publication(table, drop, table)
            now = repository.get_json(MAIN, path)
            if now is None or (ENDED not in now) == then:
                continue
            entry = self._entry(drop, int(now["version"]))
            name = publish.manifest_at(
                repository, MAIN, VersionName(table, int(entry["version"]))
            ).source.get("delivered_name")
            if name is not None:
                found.append(
                    _Drop(
                        drop,
                        str(name),
                        path,
                        now,
                        {key: entry[key] for key in now if key in entry} if then else None,
                    )
                )
        return sorted(found, key=lambda item: int(item.now["version"]))

    def _entry(self, drop: str, version: int) -> dict[str, Any]:
        """What was on record when a drop was published as a version; where that is later than the target, when it had been before."""
        repository, table = self.session.repository, self.contract.name
        if version > self.target.version:
            earlier = (
                publish.manifest_at(repository, MAIN, VersionName(table, number))
                for number in range(self.target.version, 0, -1)
            )
            version = next((made.version for made in earlier if made.drop == drop), version)
        if (found := repository.get_json(MAIN, paths.ledger_entry(table, version))) is None:
            what = f"there is no record of what {table}@v{version} published"
            raise IntegrityError(
                what, where=paths.ledger_entry(table, version), fix=f"`lakegate verify {table}@v{version}`"
            )
        return found

    def job(self) -> Job:
        """The publish: caused by the two versions."""
        asked = json.dumps(["rollback", str(self.latest.name), str(self.target.name)])
        told: dict[str, Any] = {
            ROLLS_BACK: str(self.latest.name),
            TO: str(self.target.name),
            "reason": self.reason,
            "by": current_user(),
        }
        drops = self.changed()
        told |= {
            WITHDRAWN: [item.drop for item in drops if item.then is None],
            REINSTATED: [item.drop for item in drops if item.then],
        }
        target = published_version(self.session, self.target.name)
        return Job(
            hop="processed",
            table=self.contract.name,
            dataset=self.contract.name,
            cause=hashlib.sha256(asked.encode()).hexdigest(),
            root=paths.processed_table(self.contract.name),
            contract=self.contract,
            suite=self.suite,
            write=self.write,
            pins=(Parent(self.contract.name, target.name.number, target.commit),),
            source=told,
            delivered_at=self.target.delivered_at,
        )

    def write(self, candidate: Candidate, steps: StepTimer) -> HopOutput:
        """Name the target's files again, in all tables that belong to it; take back what is on record of the drops that go.

        Raises:
            Conflict: Another version was published meanwhile.
            Expired: The version is kept no longer.
        """
        repository, table, target, latest = (
            self.session.repository,
            self.contract.name,
            self.target,
            self.latest,
        )
        if (gone := repository.get_json(candidate.base, paths.expired(table, target.version))) is not None:
            raise Expired.of(target.name, gone)
        repository.put(candidate.branch, paths.use(table, target.version), use_bytes())
        candidate.demand_parent(latest, fix="look at what came since, then run it again")
        steps.report("write.table")
        for path, files in (
            (paths.processed_table(table), target.files),
            (paths.quarantine_table(table), target.quarantine),
            (paths.resolutions_table(table), target.settled),
            (paths.tombstones_table(table), target.tombstones),
        ):
            restore_files(self.session, ref=candidate.branch, path=path, files=files, tag=target.name.tag)
            if {item.path for item in list_table(self.session, candidate.branch, path, known=files)} != {
                item.path for item in files
            }:
                raise IntegrityError(
                    f"the Delta log doesn't name the files of {target.name}",
                    where=path,
                    fix="nothing was published",
                )
        for drop in sorted(
            self.changed(), key=lambda item: item.then is not None
        ):  # a name is free before another takes it
            self._as_then(drop, candidate)
        come, go = self._moved(candidate.branch)
        counts = Counts(
            come, come, 0, 0, before=latest.counts.after, inserted=come, deleted=go, after=target.counts.after
        )
        notes = keep_rolled_back(self.session, self.contract, self.suite, candidate, target)
        notes |= {REBUILT: target.notes.get(REBUILT, []), **still_none(target)}
        return HopOutput(
            (),
            counts,
            target.files,
            target.quarantine,
            target.content_hash,
            notes=notes,
            settled=target.settled,
            aside=target.aside,
            tombstones=target.tombstones,
            proofs=target.proofs,
        )

    def _moved(self, branch: str) -> tuple[int, int]:
        """Rows that come, and rows that go: those of the files that only one of both versions has.

        Such a file may hold rows that the other version has elsewhere, as files are merged; then the rows themselves are compared.
        """
        before, after = {item.path for item in self.latest.files}, {item.path for item in self.target.files}
        there = [item for item in self.target.files if item.path not in before]
        here = [item for item in self.latest.files if item.path not in after]
        come, go = (read_files(self.session, files, branch) for files in (there, here))
        if (
            self.contract.write_mode == "replace"
            or self.latest.schema != self.target.schema
            or come is None
            or go is None
        ):
            return sum(item.rows for item in there), sum(item.rows for item in here)
        columns = [DROP, ROW, *(column.name for column in self.contract.columns)]
        come, go = come.select(*columns), go.select(*columns)
        counts = [
            self.session.engine.rows(some.subtract(theirs).groupBy().count())
            for some, theirs in ((come, go), (go, come))
        ]
        return int(counts[0][0][0]), int(counts[1][0][0])

    def _as_then(self, drop: _Drop, candidate: Candidate) -> None:
        """Record of a drop whether its publish stands, and to whom its name belongs, as it was in the target."""
        repository, name = self.session.repository, name_path_of(self.contract.name, drop.name)
        ended = {ENDED: "withdrawn", "by": str(candidate.name)} if drop.then is None else {}
        body = (drop.then or drop.now) | ended | {"attempt": candidate.attempt}
        repository.put(candidate.branch, drop.path, json.dumps(body, sort_keys=True).encode())
        if drop.then is not None and self.contract.write_mode != "replace":
            taken = {"format": paths.FORMAT, "drop": drop.drop, "attempt": candidate.attempt}
            repository.put(candidate.branch, name, json.dumps(taken, sort_keys=True).encode())
        elif (repository.get_json(candidate.branch, name) or {}).get("drop") == drop.drop:
            repository.delete(candidate.branch, name)


def _built_on(session: Session, name: VersionName) -> list[str]:
    """The versions of feature tables and datasets that were made from later versions than this one, or judged against them."""
    found = []
    for contract in session.catalog.contracts.values():
        if name.table in (*contract.inputs, *contract.references):
            for tag in session.repository.tags(f"{contract.name}.v"):
                other = VersionName.from_tag(tag)
                if other is None or other.table != contract.name:
                    continue
                parents = publish.manifest_at(session.repository, tag, other).parents
                if any(item.table == name.table and item.version > name.number for item in parents):
                    found.append(other)
    return [str(item) for item in sorted(found)]
