"""Replay: rows that were set aside, run through the contract and the references as they are now.

What passes becomes part of a new version, under the drop and record number that it came with; the quarantine keeps the
row and says what became of it. What still fails stays as it is. Each drop's open rows are judged together, drop by drop
in the order of their publishes, so that the answer is what these rules would have given at first.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.plan.rule_bitmask import is_quarantined
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from expectations.verdict import Outcome
from lake import paths
from lake.decisions.restage import stage_records
from lake.drift.version_histograms import keep_given_back
from lake.engine.scratch_table import ScratchTable
from lake.hops.evaluate import Evaluated, aside_by_rule, evaluate, pin_references
from lake.hops.gate_records import replayed_before
from lake.hops.job import HopOutput, Job, Replayed
from lake.hops.no_rows_taken import NOTE, still_none
from lake.hops.published import finish_interrupted
from lake.hops.runner import run_hop
from lake.hops.schema_check import check_columns
from lake.runtime.identity import current_user
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.change import Passed, change_of, write_change, written
from lake.tables.data_files import table_files
from lake.tables.quarantine import (
    Resolution,
    earlier_rows,
    filter_rows,
    judged_at,
    latest_manifest,
    published_as,
    quarantine_balance,
    resolution_rows,
    unresolved_rows,
    without,
)
from lake.tables.reader import published_rows
from lake.tables.writer import write_table
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import Manifest, Parent

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


def replay(
    session: Session,
    contract: Contract,
    *,
    drop: str | None = None,
    rule: str | None = None,
    dry_run: bool = False,
) -> Replayed:
    """Judge a dataset's open rows again and publish those that pass.

    Args:
        session: The open lake.
        contract: The dataset's contract, as it is now.
        drop: Only rows of this drop: its SHA-256 or the beginning of it.
        rule: Only rows that this rule set aside.
        dry_run: Judge, and publish nothing.

    Raises:
        UsageError: No row set aside came of that drop, or broke that rule.
        ContractError: The contract's columns are not those of the table.
    """
    check_columns(session, contract, gives_back=True)
    with session.lease(contract.name), session.scratch("replay") as folder:
        finish_interrupted(session, contract.name)
        parent = latest_manifest(session, contract.name)
        if parent is None:
            return Replayed(contract.name, 0, 0, {})
        rows = unresolved_rows(session, parent)
        suite, pins = (
            build_suite(contract, "processed", session.settings.project),
            pin_references(session, contract),
        )
        done = None if dry_run else replayed_before(session, parent, contract, suite, pins)
        try:
            chosen = filter_rows(rows, drop=drop, rule=rule)
        except UsageError:
            if done is None:
                raise
            chosen = rows.slice(0, 0)
        if not chosen.num_rows:
            return Replayed(contract.name, 0, 0, {}, done)
        work = _Replay(session, contract, suite, parent, pins, folder)
        passing, still = work.judge(rows, chosen)
        if dry_run or not passing:
            return Replayed(contract.name, chosen.num_rows, passing, still, done)
        hop = run_hop(session, work.job(chosen, passing))
        return Replayed(contract.name, chosen.num_rows, passing, still, hop)


@dataclass
class _Replay:
    """One replay: the drops' open rows, evaluated once, then written by as many attempts as it takes."""

    session: Session
    contract: Contract
    suite: Suite
    parent: Manifest
    pins: tuple[Parent, ...]
    folder: Path
    passing: DataFrame | None = None
    outcomes: tuple[Outcome, ...] = ()
    asked: int = 0
    passed: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    """Of the versions that drops were published as, as far as they were asked for."""

    def judge(self, rows: pa.Table, chosen: pa.Table) -> tuple[int, dict[str, int]]:
        """How many chosen rows pass now, and how many still break each rule."""
        from pyspark.sql import functions as F  # noqa: N812

        engine, contract = self.session.engine, self.contract
        columns = [*(column.name for column in contract.columns), DROP, ROW]
        fresh, failed = ScratchTable(engine, self.folder / "passing"), Counter[str]()
        for number, drop in enumerate(self._in_order(chosen)):
            self.session.renew_engine()
            folder = self.folder / str(number)
            published = (
                None if contract.upsert else fresh.with_others(self._table(columns))
            )  # of an upsert keys may come again
            found, ids = self._evaluate(drop, rows, chosen, folder, published)
            labelled = found.labelled.join(engine.read_parquet([ids.as_uri()]), on=ROW, how="left_semi")
            fresh.add(
                labelled.where(f"not {is_quarantined(found.plan)}").select(
                    *columns[:-2], F.lit(drop).alias(DROP), F.col(ROW)
                )
            )
            failed.update(aside_by_rule(engine, labelled, found.plan))
            shutil.rmtree(folder)
        if (passing := fresh.frame()) is not None:
            self.passing = passing
            self.passed = int(engine.rows(passing.groupBy().count())[0][0])
        self.asked = chosen.num_rows
        self.outcomes = tuple(
            Outcome(rule, failed[rule.id], self.asked) for rule in self.suite.rules if rule.row_rule
        )
        setting_aside = {rule.id for rule in self.suite.rules if rule.severity != "warn"}
        return self.passed, {
            name: count for name, count in sorted(failed.items()) if count and name in setting_aside
        }

    def _table(self, columns: list[str]) -> DataFrame | None:
        table = published_rows(self.session, self.contract, self.suite, self.parent, self.parent.name.tag)
        return None if table is None else table.select(*columns)

    def job(self, chosen: pa.Table, passing: int) -> Job:
        """The publish of the rows that pass: caused by what was asked, on this state of table, rules and references."""
        contract, per_drop = self.contract, {}
        for item in chosen.group_by(DROP).aggregate([(ROW, "count")]).to_pylist():
            per_drop[item[DROP]] = item[f"{ROW}_count"]
        asked = [
            "replay",
            str(self.parent.name),
            per_drop,
            contract.hash,
            self.suite.hash,
            [vars(pin) for pin in self.pins],
        ]
        return Job(
            hop="processed",
            table=contract.name,
            dataset=contract.name,
            cause=hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
            root=paths.processed_table(contract.name),
            contract=contract,
            suite=self.suite,
            write=self.write,
            pins=self.pins,
            source={
                **contract.source,
                "replay_of": str(self.parent.name),
                "rows_asked_for": per_drop,
                "rows_passing": passing,
                "by": current_user(),
            },
            delivered_at=self.parent.delivered_at,
        )

    def write(self, candidate: Candidate, steps: StepTimer) -> HopOutput:
        """Add the rows that pass to the table and say of each in the quarantine's settlements what became of it.

        On an upsert table a row that is older than what stands for its key becomes superseded.
        """
        session, contract, parent = self.session, self.contract, self.parent
        candidate.demand_parent(
            parent, fix="run the replay again: it is judged against what is published now"
        )
        if self.passing is None:
            raise IntegrityError(
                "no row passes, and a version was to be written", fix="nothing was published; report this"
            )
        passed = Passed(self.passing, self.passed, self.asked - self.passed, self.asked)
        change = change_of(session, contract, passed, candidate, folder=self.folder, gives_back=True)
        steps.report("write.table")
        added = write_change(session, contract, change, candidate)
        steps.report("write.settled")
        late = change.counts.outdated
        if late < self.passed:
            self._settle(
                self.passing if change.outdated is None else without(self.passing, change.outdated),
                "replayed",
                candidate,
            )
        if change.outdated is not None:
            self._settle(change.outdated, "superseded", candidate)
        taken = (
            [row[0] for row in session.engine.rows(self.passing.select(DROP).distinct())]
            if parent.notes.get(NOTE)
            else ()
        )
        notes = {
            **keep_given_back(session, contract, self.suite, candidate, self.passing),
            **still_none(parent, taken),
        }
        tables = written(session, contract, change, candidate, added=added, fresh=False)
        path = paths.resolutions_table(contract.name)
        settled = table_files(session, candidate.branch, path, known=parent.settled)
        if sum(item.rows for item in settled) - sum(item.rows for item in parent.settled) != self.passed:
            what = f"{self.passed} rows pass, and not as many were settled"
            raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
        balance = quarantine_balance(
            parent, parent.quarantine, {"replayed": self.passed - late, "superseded": late}
        )
        return HopOutput(
            self.outcomes,
            change.counts,
            tables.files,
            parent.quarantine,
            tables.content,
            notes=notes,
            settled=settled,
            aside=balance,
            tombstones=tables.tombstones,
        )

    def _settle(self, rows: DataFrame, state: Resolution, candidate: Candidate) -> None:
        """Write what became of rows."""
        told = resolution_rows(rows, state, version=candidate.number, attempt=candidate.attempt)
        path = paths.resolutions_table(self.contract.name)
        write_table(
            self.session, told, ref=candidate.branch, path=path, mode="append", statistics=[DROP, ROW]
        )

    def _evaluate(
        self, drop: str, rows: pa.Table, chosen: pa.Table, folder: Path, published: DataFrame | None
    ) -> tuple[Evaluated, Path]:
        """All open rows of a drop, judged together, and a file with the record numbers of the chosen ones."""
        import pyarrow.compute as pc
        from pyarrow import parquet

        folder.mkdir()
        mine = rows.filter(pc.equal(rows.column(DROP), drop))
        ids = folder / "chosen.parquet"
        parquet.write_table(chosen.filter(pc.equal(chosen.column(DROP), drop)).select([ROW]), ids)
        staging = stage_records(self.session, self.contract, drop, mine, folder)
        # A rule that would block a drop keeps a row in the quarantine here: there is no drop to refuse.
        rules = (
            replace(rule, severity="quarantine") if rule.severity == "block" else rule
            for rule in self.suite.rules
            if rule.row_rule
        )
        suite = replace(self.suite, rules=tuple(rules))
        found = evaluate(
            self.session,
            self.contract,
            suite,
            staging=staging,
            folder=folder,
            pins=self.pins,
            published=published,
            delivered_at=judged_at(self.session, self.contract.name, drop) or self.parent.delivered_at or "",
            earlier=earlier_rows(
                self.session, self.contract.name, suite, published, drop, known=self.numbers
            ),
        )
        return found, ids

    def _in_order(self, chosen: pa.Table) -> list[str]:
        """The drops of the chosen rows, in the order that they were published."""
        drops = chosen.column(DROP).unique().to_pylist()
        self.numbers |= {drop: published_as(self.session, self.contract.name, drop) for drop in drops}
        return sorted(drops, key=lambda drop: self.numbers[drop])
