"""Rollback: the state of an earlier version, published as the table's next.

The new version names the earlier one's files again, so nothing is copied. Drops that only later versions hold
are withdrawn and may be delivered again; drops that later versions took out are reinstated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from catalog.contract import Contract
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.decisions.decision import Decision, cause_of, demand_reason, latest_version, row_count
from lake.decisions.rollback_drops import MovedDrop, moved_drops, restore_records
from lake.drift.version_histograms import keep_of_decision
from lake.hops.gate.no_rows_taken import still_none
from lake.hops.gate.published_before import published_before
from lake.hops.job import HopOutput, HopResult, Job
from lake.hops.published import REBUILT, published_version
from lake.hops.runner import run_hop
from lake.ledger.repair import REINSTATED, WITHDRAWN
from lake.ledger.version_records import use_bytes
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.data_files import list_table
from lake.tables.reader import read_files
from lake.tables.writer import restore_files
from lake.versions import publish
from lake.versions.origin import ROLLS_BACK, TO
from lake.versions.publish import Candidate
from lakegate.errors import ContractError, Expired, IntegrityError, UsageError
from lakegate.manifest import Counts, Manifest, Parent
from lakegate.names import VersionName

NOT_DISCARDED: Final = "not_discarded"
"""Key of a rollback's source: how many rows were discarded since its target."""


@dataclass(frozen=True)
class RolledBack:
    """What a rollback published, and its drops.

    `built_on` are the versions of other tables that were made from what is no longer the state, and
    `not_discarded` the number of rows that were discarded since, and are so no longer.
    """

    hop: HopResult
    withdrawn: list[str]
    reinstated: list[str]
    built_on: list[str]
    not_discarded: int


def roll_back(session: Session, name: VersionName, *, reason: str) -> RolledBack:
    """Publish the state of a version as the table's next.

    Args:
        session: The open lake.
        name: The target.
        reason: Why, stored in the new version's manifest.

    Raises:
        UsageError: No reason was given, there is no such version, it is the latest, or its table is a
            feature.
        ContractError: The contract has other columns than the target.
        Expired: The target's files are gone.
    """
    contract = session.catalog.get(name.table)
    if contract.kind == "feature":
        what = f"{name.table} is made from {', '.join(contract.inputs)}, and would be made again at once"
        fix = "roll these back, or change its SQL or contract: its next version is made by them"
        raise UsageError(what, fix=fix)
    given = demand_reason(reason, "a rollback")
    with latest_version(session, contract) as latest:
        if latest is None or name.number >= latest.version:
            is_latest = latest is not None and name.number == latest.version
            what = f"{name} is the latest version" if is_latest else f"there is no {name}"
            raise UsageError(what, fix=f"`lakegate versions {contract.name}` lists what was published")
        if ROLLS_BACK in latest.source and latest.source[TO] == str(name):
            hop, source = published_before(session, latest, "rollback"), latest.source
        else:
            job = _job(session, contract, latest, name, given)
            hop, source = run_hop(session, job), job.source
        moved = source[WITHDRAWN], source[REINSTATED]
        return RolledBack(hop, *moved, _built_on(session, name), source.get(NOT_DISCARDED, 0))


def _discarded(manifest: Manifest) -> int:
    return manifest.balance.get("discarded", 0)


def _job(session: Session, contract: Contract, latest: Manifest, name: VersionName, reason: str) -> Job:
    """The publish: caused by the latest version and the target."""
    published = published_version(session, name)
    target = published.manifest
    drops = moved_drops(session, latest, target)
    decision = Decision(session, contract, latest, (Parent(name.table, name.number, published.commit),))
    job = decision.job(
        cause_of(["rollback", str(latest.name), str(name)]),
        {
            ROLLS_BACK: str(latest.name),
            TO: str(name),
            "reason": reason,
            WITHDRAWN: [drop.digest for drop in drops if drop.before is None],
            REINSTATED: [drop.digest for drop in drops if drop.before is not None],
            NOT_DISCARDED: max(0, _discarded(latest) - _discarded(target)),
        },
        partial(_write, decision, target, drops),
    )
    if job.schema != target.schema:
        then = ", ".join(f"{column['name']} {column['type']}" for column in target.schema)
        now = ", ".join(column["name"] for column in job.schema)
        what = f"{contract.name} has other columns now than {name} ({then}; now {now})"
        raise ContractError(what, where=str(contract.path), fix="put them back in the contract first")
    return replace(job, delivered_at=target.delivered_at)


def _write(
    decision: Decision, target: Manifest, drops: Sequence[MovedDrop], candidate: Candidate, steps: StepTimer
) -> HopOutput:
    """Write the target's files and the records of its drops onto a candidate.

    Raises:
        Conflict: Another version was published meanwhile.
        Expired: The target's retention ended.
    """
    session, latest = decision.session, decision.parent
    expired = session.repository.get_json(candidate.base, paths.expired(target.table, target.version))
    if expired is not None:
        raise Expired.of(target.name, expired)
    session.repository.put(candidate.branch, paths.use(target.table, target.version), use_bytes())
    candidate.demand_parent(latest, fix="look at what came since, then run it again")
    steps.report("write.table")
    _restore_tables(session, target, candidate.branch)
    restore_records(session, decision.contract, drops, candidate)
    inserted, deleted = _moved_rows(decision, target, candidate.branch)
    notes = keep_of_decision(session, decision.contract, decision.suite, candidate, parent=target, rows=None)
    return HopOutput(
        (),
        Counts(
            inserted,
            inserted,
            0,
            0,
            before=latest.counts.after,
            inserted=inserted,
            deleted=deleted,
            after=target.counts.after,
        ),
        target.files,
        target.quarantine,
        target.content_hash,
        notes={**notes, REBUILT: target.notes.get(REBUILT, []), **still_none(target)},
        resolved=target.resolved,
        balance=target.balance,
        tombstones=target.tombstones,
        proofs=target.proofs,
    )


def _restore_tables(session: Session, target: Manifest, branch: str) -> None:
    """Make the Delta logs of a branch name the target's files, in the table and those that belong to it."""
    name = target.table
    tables = {
        paths.processed_table(name): target.files,
        paths.quarantine_table(name): target.quarantine,
        paths.resolutions_table(name): target.resolved,
        paths.tombstones_table(name): target.tombstones,
    }
    for path, files in tables.items():
        restore_files(session, ref=branch, path=path, files=files, tag=target.name.tag)
        listed = list_table(session, branch, path, known=files)
        if {item.path for item in listed} != {item.path for item in files}:
            what = f"the Delta log doesn't name the files of {target.name}"
            raise IntegrityError(what, where=path, fix="nothing was published")


def _moved_rows(decision: Decision, target: Manifest, branch: str) -> tuple[int, int]:
    """How many rows the rollback inserts and deletes: those of the files that only one of the versions has.

    Compaction may have moved rows to other files, so where both versions have such files their rows are
    compared.
    """
    session, contract, latest = decision.session, decision.contract, decision.parent
    old, new = {item.path for item in latest.files}, {item.path for item in target.files}
    added = [item for item in target.files if item.path not in old]
    removed = [item for item in latest.files if item.path not in new]
    if contract.write_mode != "replace" and latest.schema == target.schema:
        came, went = read_files(session, added, branch), read_files(session, removed, branch)
        if came is not None and went is not None:
            columns = [DROP, ROW, *(column.name for column in contract.columns)]
            came, went = came.select(*columns), went.select(*columns)
            return row_count(session, came.subtract(went)), row_count(session, went.subtract(came))
    return sum(item.rows for item in added), sum(item.rows for item in removed)


def _built_on(session: Session, name: VersionName) -> list[str]:
    """The versions of other tables that were made from, or judged against, later versions than this one."""
    found = []
    for contract in session.catalog.contracts.values():
        if name.table not in (*contract.inputs, *contract.references):
            continue
        for tag in session.repository.tags(f"{contract.name}.v"):
            other = VersionName.from_tag(tag)
            if other is None or other.table != contract.name:
                continue
            parents = publish.manifest_at(session.repository, tag, other).parents
            if any(item.table == name.table and item.version > name.number for item in parents):
                found.append(other)
    return [str(item) for item in sorted(found)]
