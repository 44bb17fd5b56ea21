"""Reprocess: a table rebuilt from raw under the present contract, suite and references, published as one new version.

Each drop that stands is judged again, in the order of their publishes, on what the ones before it left: the table is what it would be
had these rules been there at first. A drop that they block stops it. Rows that a person discarded stay discarded where they are set aside
again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.plan.rule_bitmask import is_quarantined
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from expectations.verdict import Outcome, Verdict, verdict_of
from lake import paths
from lake.decisions.rebuild_writer import Rebuilt, first_of, keep_aside, standing_drops, write_rebuilt
from lake.engine.scratch_table import ScratchTable
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.evaluate import evaluate, pin_references
from lake.hops.gate_records import published_before, unapproved_holds
from lake.hops.job import HopResult, Job
from lake.hops.messages import blocked_message, held_message
from lake.hops.published import finish_interrupted, published_version
from lake.hops.raw import judge_raw, parse_received
from lake.hops.runner import run_hop
from lake.ledger.receipts import Drop
from lake.runtime.identity import current_user
from lake.session import Session
from lake.tables.change import Change
from lake.tables.proved_files import demand_sound
from lake.tables.quarantine import judged_at, latest_manifest
from lake.tables.reader import uri_of
from lake.tables.upsert import (
    KEY_EXISTS,
    MERGE_ACTION,
    MERGE_ACTIONS,
    classify_rows,
    deleted_keys,
    rows_after,
)
from lake.versions import provenance, publish
from lakegate.errors import DataRejected, IntegrityError, UsageError
from lakegate.manifest import Counts, Manifest, Parent
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def reprocess(session: Session, contract: Contract, *, since: str | None = None) -> HopResult:
    """Rebuild a table from raw.

    Args:
        session: The open lake.
        contract: The dataset's contract, as it is now.
        since: The first drop that is judged again (its SHA-256, or the beginning of it); rows of those before stay as they are.

    Raises:
        UsageError: The table has no version, or no such drop; or the drop alone can't be told from what came later.
        DataRejected: A drop is blocked now; nothing was published.
    """
    with session.lease(contract.name), session.caching(), session.scratch("reprocess") as folder:
        finish_interrupted(session, contract.name)
        parent = latest_manifest(session, contract.name)
        if parent is None:
            raise UsageError(
                f"{contract.name} has no version yet", fix=f"`lakegate ingest {contract.name} FILE`"
            )
        drops = standing_drops(session, contract, parent)
        first = first_of(contract, drops, since)
        suite = build_suite(contract, "processed", session.settings.project)
        work = _Reprocess(
            session,
            contract,
            suite,
            parent,
            pin_references(session, contract),
            folder,
            drops[:first],
            drops[first:],
        )
        if work.stands():
            return published_before(session, parent, "reprocess")
        work.judge()
        return run_hop(session, work.job())


@dataclass
class _Reprocess:
    """One reprocess: every drop evaluated once, what came of it kept in `folder`, then written by as many attempts as it takes."""

    session: Session
    contract: Contract
    suite: Suite
    parent: Manifest
    pins: tuple[Parent, ...]
    folder: Path
    kept: list[Drop]
    again: list[Drop]
    counted: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    aside: list[Path] = field(default_factory=list)
    came_of: dict[str, dict[str, int]] = field(default_factory=dict)
    rows: ScratchTable = field(init=False)
    """Those that pass, of the drops judged so far."""
    gone: ScratchTable = field(init=False)
    """The keys that they deleted, of an upsert table."""

    def __post_init__(self) -> None:
        engine = self.session.engine
        self.rows, self.gone = (
            ScratchTable(engine, self.folder / "rows"),
            ScratchTable(engine, self.folder / "gone"),
        )

    def judge(self) -> None:
        """Evaluate the drops, each on the table that the ones before it left."""
        engine = self.session.engine
        if (kept := self._kept_rows()) is not None:
            demand_sound(self.session, self.parent.name.tag, self.parent.files, version=self.parent.name)
            self.counted["kept"] = int(engine.rows(kept.groupBy().count())[0][0])
        for number, drop in enumerate(self.again):
            self.session.renew_engine()
            folder = self.folder / str(number)
            folder.mkdir()
            self._take(drop, folder)
            self.session.cache(DeliveryCache).release(drop.sha256)

    def _kept_rows(self) -> DataFrame | None:
        """The rows of the drops that stay as they are."""
        uris = [uri_of(self.session, self.parent.name.tag, item) for item in self.parent.files if item.rows]
        if not self.kept or not uris:
            return None
        named = ", ".join(f"'{drop.sha256}'" for drop in self.kept)
        columns = [column.name for column in self.contract.columns]
        return (
            self.session.engine.read_parquet(uris).where(f"{DROP} in ({named})").select(*columns, DROP, ROW)
        )

    def _table(self) -> DataFrame | None:
        """The table as the drops so far left it."""
        return self.rows.with_others(self._kept_rows())

    def _take(self, drop: Drop, folder: Path) -> None:
        from pyspark.sql import functions as F  # noqa: N812

        session, contract, engine = self.session, self.contract, self.session.engine
        parsed = parse_received(session, contract, drop)
        arrived = judge_raw(build_suite(contract, "raw", session.settings.project), parsed)
        if verdict_of(arrived, set_aside=0) is Verdict.BLOCKED:
            raise DataRejected(
                blocked_message(contract, arrived, file=drop.name), where=f"drop {drop.sha256[:12]}", fix=""
            )
        if parsed.staging is None:
            what = "the raw version can't be parsed any more"
            raise IntegrityError(what, where=drop.sha256[:12], fix="restore the file format in its contract")
        found = evaluate(
            session,
            contract,
            self.suite,
            staging=parsed.staging,
            folder=folder,
            pins=self.pins,
            published=self._table() if contract.write_mode == "append" else None,
            delivered_at=judged_at(session, contract.name, drop.sha256) or drop.delivered_at,
        )
        if found.blocked:
            raise DataRejected(
                blocked_message(contract, found.outcomes, file=drop.name),
                where=f"drop {drop.sha256[:12]}",
                fix="",
            )
        raw = (
            publish.publication(
                session.repository, dataset=contract.name, cause=drop.sha256, table=f"{contract.name}_raw"
            )
            or {}
        )
        delivered = published_version(
            session, VersionName(f"{contract.name}_raw", int(raw["version"]))
        ).manifest.counts.valid
        if parsed.readable != delivered:
            what = f"{drop.name}: {parsed.readable} records can be read now, {delivered} could when it was delivered"
            raise IntegrityError(
                what, where=f"drop {drop.sha256[:12]}", fix=f"restore the file format in {contract.path.name}"
            )
        if held := unapproved_holds(found.outcomes, ()):
            raise DataRejected(
                held_message(contract, held, cause=drop.sha256, file=drop.name),
                where=f"drop {drop.sha256[:12]}",
                fix="",
            )
        columns = [column.name for column in contract.columns]
        rows = found.labelled.where(f"not {is_quarantined(found.plan)}").select(
            *columns, F.lit(drop.sha256).alias(DROP), F.col(ROW)
        )
        self.counted += Counter(records=parsed.readable, valid=found.valid, quarantined=found.quarantined)
        self.came_of[drop.sha256] = {
            "rows_in": parsed.readable,
            "rows_valid": found.valid,
            "rows_quarantined": found.quarantined,
        }
        for item in found.outcomes:
            self.failed[item.rule.id] += item.failed
        if contract.upsert is not None:
            table, gone = self._table(), self.gone.frame()
            fates = engine.write_scratch(
                classify_rows(contract, contract.upsert, rows, table, gone), folder / "fates"
            )
            counted = engine.rows(
                fates.groupBy(MERGE_ACTION).agg(F.count(F.lit(1)), F.sum(F.col(KEY_EXISTS).cast("bigint")))
            )
            self.counted += Counter({str(fate): int(count) for fate, count, _ in counted})
            self.counted["deleted"] += sum(int(there) for fate, _, there in counted if fate == "tombstone")
            self.gone.replace(deleted_keys(contract, contract.upsert, fates, gone))
            self.rows.replace(rows_after(contract, fates, table))
        else:
            self.counted["inserted"] += found.valid
            self.rows.add(rows)
        self.aside.append(keep_aside(found, parsed.originals, drop, self.suite, folder))
        for made in (found.kept, folder / "fates"):
            shutil.rmtree(made, ignore_errors=True)

    def change(self) -> Change:
        """The whole table, in the place of what it was."""
        if (table := self._table()) is None:
            raise UsageError(f"no drop of {self.contract.name} is published", fix="ingest one")
        count, before = self.counted, self.parent.counts.after
        after = count["kept"] + count["inserted"] - count["deleted"]
        fates = {
            name: count[fate]
            for name, fate in (
                *((fate, fate) for fate in MERGE_ACTIONS if fate not in ("inserted", "tombstone")),
                ("tombstones", "tombstone"),
            )
        }
        counts = Counts(
            count["records"],
            count["valid"],
            count["quarantined"],
            0,
            before=before,
            inserted=count["inserted"],
            deleted=before + count["inserted"] - after,
            after=after,
            **fates,
        )
        return Change(table, after, "overwrite", counts, self.gone.frame())

    def stands(self) -> bool:
        """Whether the latest version is this very reprocess, by whichever attempt, which may have died before it said so."""
        same = all(self.parent.code.get(name) == told for name, told in provenance.code().items())
        return same and self.parent.drop == self._cause(str(self.parent.source.get("reprocesses")))

    def _cause(self, before: str) -> str:
        """What the publish is caused by: the present rules and references, and a version of the table."""
        asked = [
            "reprocess",
            before,
            [drop.sha256 for drop in self.again],
            self.contract.hash,
            self.suite.hash,
            [vars(pin) for pin in self.pins],
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def job(self) -> Job:
        """The publish: caused by the present rules and references, on this state of the table."""
        contract, drops = self.contract, [drop.sha256 for drop in self.again]
        outcomes = tuple(
            Outcome(rule, self.failed[rule.id], self.counted["records"])
            for rule in self.suite.rules
            if rule.row_rule
        )
        kept = frozenset(drop.sha256 for drop in self.kept)
        rebuilt = Rebuilt(
            self.parent, self.suite, self.change(), outcomes, tuple(self.aside), kept, self.came_of
        )
        return Job(
            hop="processed",
            table=contract.name,
            dataset=contract.name,
            cause=self._cause(str(self.parent.name)),
            root=paths.processed_table(contract.name),
            contract=contract,
            suite=self.suite,
            write=lambda candidate, steps: write_rebuilt(self.session, contract, rebuilt, candidate, steps),
            pins=self.pins,
            source={
                **contract.source,
                "reprocesses": str(self.parent.name),
                "drops": drops,
                "by": current_user(),
            },
            delivered_at=self.parent.delivered_at,
        )
