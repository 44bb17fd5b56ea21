"""The rows of a drop: judged on the table as it stands, written onto the table as it stands when it is the drop's turn."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.plan.rule_bitmask import is_quarantined
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.drift.version_histograms import Comparison
from lake.hops import no_rows_taken
from lake.hops.evaluate import Evaluated, evaluate
from lake.hops.file_names import name_holder, name_path, name_taken
from lake.hops.gate_records import approval, unapproved_holds
from lake.hops.job import NOTHING, HopOutput
from lake.hops.mostly_quarantined import mostly_quarantined
from lake.hops.raw import parse_received
from lake.ledger.receipts import Drop
from lake.parsing.source_records import Originals, marks_aside, rows_aside
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.change import Change, Passed, change_of, plain_counts, statistics_of, write_change, written
from lake.tables.compaction import compacted, quarantine_fingerprint, table_fingerprint
from lake.tables.data_files import Added, table_files
from lake.tables.quarantine import quarantine_balance
from lake.tables.reader import published_rows
from lake.tables.supersede import resolve_superseded
from lake.tables.writer import Mode, restore_files, write_rows
from lake.versions import publish
from lake.versions.publish import Candidate
from lakegate.errors import Conflict, IntegrityError
from lakegate.manifest import Manifest, Parent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class _Judged:
    """What the rules found on a version of the table, how it is `told`, and the change that they let pass."""

    parent: Manifest | None
    compare: Comparison
    found: Evaluated
    change: Change | None
    originals: Originals | None
    told: HopOutput


@dataclass
class DropRows:
    """What judging and writing one drop's processed rows needs."""

    session: Session
    contract: Contract
    suite: Suite
    drop: Drop
    pins: tuple[Parent, ...]
    records: int
    """Readable records of the drop's raw version: what has to come in here."""
    folder: Path
    """Scratch folder that keeps what was judged until it is written."""
    instead_of: str | None = None
    """The published drop whose place it takes."""
    judged: _Judged | None = None
    times: int = 0
    """How often it was judged."""

    @property
    def replaces(self) -> bool:
        """Whether the drop takes the place of all that was delivered before, rows set aside among it."""
        return self.contract.write_mode == "replace"

    def judge(self, base: str, steps: StepTimer) -> HopOutput:
        """Evaluate the rules once on main as it stands at a commit; nothing is written but scratch files."""
        parent = publish.latest_at(self.session.repository, base, self.contract.name)
        if (refused := self._refused(base, parent)) is not None:
            return refused
        self.judged = self._evaluate(base, parent, steps)
        return self.judged.told

    def write(self, candidate: Candidate, steps: StepTimer) -> HopOutput:
        """Write both tables of what was judged, and describe them; where the head moved since and it matters, judge again first.

        Raises:
            Conflict: The rows were to take the place of a version that is not the latest any more.
        """
        if (refused := self._refused(candidate.base, candidate.parent)) is not None:
            return refused
        judged = self._judged_on(candidate, steps)
        found, parent, compare = judged.found, candidate.parent, judged.compare
        if (change := judged.change) is None:
            return judged.told
        onto = self._compacted(candidate, steps, table=change.mode == "append")
        with ThreadPoolExecutor(2) as pool:  # a write waits for the gateway more than for a core
            settled_too = pool.submit(self._settle, candidate)
            steps.report("write.table")
            valid = pool.submit(write_change, self.session, self.contract, change, onto)
            steps.report("write.quarantine")
            some = found.quarantined or (parent and parent.quarantine and self.replaces)
            aside: Added | None = self._write_aside(found, onto, judged.originals) if some else []
            added = valid.result()
            settled_too.result()
        notes = judged.told.notes | dict(compare.keep(candidate, found.histograms, found.plan.histograms))
        notes |= no_rows_taken.with_delivery(
            None if self.replaces else parent,
            candidate.number,
            self.drop.sha256,
            change.counts,
            instead_of=self.instead_of,
        )
        if parent and onto.parent and (merged := len(parent.files) - len(onto.parent.files)):
            notes["files_merged"] = merged
        made = self._describe(onto, found, change, added, aside)
        return replace(made, notes=notes, evidence=judged.told.notes)

    def _compacted(self, candidate: Candidate, steps: StepTimer, *, table: bool) -> Candidate:
        """The candidate, with a parent of fewer files where many were small: the table's, or else the quarantine's, one in a publish."""
        parent, session, branch, engine = (
            candidate.parent,
            self.session,
            candidate.branch,
            self.session.engine,
        )
        if (
            parent is None or self.replaces or self.instead_of
        ):  # a correction reads what its parent set aside, where that lies
            return candidate
        steps.report("write.compact")
        merge, path = (
            partial(compacted, session, branch, version=parent.name),
            paths.quarantine_table(self.contract.name),
        )
        if table:
            fingerprint = partial(table_fingerprint, engine, self.contract)
            table_path = paths.processed_table(self.contract.name)
            files = merge(
                table_path, parent.files, statistics=statistics_of(self.contract), fingerprint=fingerprint
            )
            if files != parent.files:
                return replace(candidate, parent=replace(parent, files=files))
        aside = merge(
            path,
            parent.quarantine,
            statistics=[DROP, ROW],
            fingerprint=partial(quarantine_fingerprint, engine),
        )
        return replace(candidate, parent=replace(parent, quarantine=aside))

    def _judged_on(self, candidate: Candidate, steps: StepTimer) -> _Judged:
        """What was judged, or, where it is no answer on the candidate's parent, judged anew."""
        parent, judged = candidate.parent, self.judged
        same = judged is not None and (judged.parent and judged.parent.name) == (parent and parent.name)
        if judged is not None and same and (judged.change is not None or judged.found.blocked):
            return judged  # one that was held is here because a person let it pass since
        if judged is not None and self.replaces and not same:
            what = f"{parent.name if parent else self.contract.name} was published since this delivery was judged"
            raise Conflict(what, fix="run it again: it is then judged as what follows that version")
        steps.report("rebase")
        self.judged = self._evaluate(candidate.base, parent, steps)
        return self.judged

    def _refused(self, base: str, parent: Manifest | None) -> HopOutput | None:
        """The refusal of a drop that comes under the name of another; nothing of it is judged."""
        if name_holder(self.session, self.contract, self.drop, base=base) in (None, self.instead_of):
            return None
        before = parent.counts.after if parent else 0
        return HopOutput((name_taken(self.drop),), replace(NOTHING, before=before, after=before))

    def _evaluate(self, base: str, parent: Manifest | None, steps: StepTimer) -> _Judged:
        session = self.session
        steps.report("parse")
        parsed = parse_received(session, self.contract, self.drop)
        if parsed.staging is None:
            what = "the raw version can't be parsed any more"
            raise IntegrityError(
                what, where=self.drop.sha256[:12], fix="restore the file format in its contract"
            )
        joined = parent if self.contract.write_mode == "append" else None
        published = published_rows(session, self.contract, self.suite, joined, base) if joined else None
        if published is not None and self.instead_of:
            published = published.where(f"{DROP} <> '{self.instead_of}'")
        self.times += 1
        folder = self.folder / str(self.times)
        folder.mkdir()
        steps.report("evaluate")
        compare = Comparison(session, self.contract, parent, base, whole=self.replaces)
        found = evaluate(
            session,
            self.contract,
            self.suite,
            staging=parsed.staging,
            folder=folder,
            pins=self.pins,
            published=published,
            delivered_at=self.drop.delivered_at,
            baselines=compare.baselines,
            past=compare.past,
            before=parent.counts.after if parent and self.replaces else None,
        )
        notes = mostly_quarantined(
            session, self.contract, found, parsed=parsed, parent=parent, published=published
        )
        counts = plain_counts(found.valid, found.quarantined, self.records, parent, replaces=self.replaces)
        told = HopOutput(found.outcomes, counts, notes=notes)
        if found.blocked or self._holds(found):
            return _Judged(parent, compare, found, None, parsed.originals, told)
        passed = Passed(self._passing(found), found.valid, found.quarantined, self.records)
        here = Candidate(self.contract.name, self.contract.name, self.drop.sha256, base, base, "", parent)
        change = change_of(session, self.contract, passed, here, folder=folder, instead_of=self.instead_of)
        return _Judged(parent, compare, found, change, parsed.originals, replace(told, counts=change.counts))

    def _holds(self, found: Evaluated) -> bool:
        """Whether a person has to decide first: then nothing needs to be written."""
        held = unapproved_holds(found.outcomes, ())
        asked = {
            "dataset": self.contract.name,
            "table": self.contract.name,
            "cause": self.drop.sha256,
            "suite_hash": self.suite.hash,
        }
        return bool(held) and bool(unapproved_holds(held, approval(self.session, **asked).get("rules", ())))

    def _passing(self, found: Evaluated) -> DataFrame:
        from pyspark.sql import functions as F  # noqa: N812

        columns = [
            *(column.name for column in self.contract.columns),
            F.lit(self.drop.sha256).alias(DROP),
            F.col(ROW),
        ]
        return found.labelled.where(f"not {is_quarantined(found.plan)}").select(*columns)

    def _write_aside(
        self, found: Evaluated, candidate: Candidate, originals: Originals | None
    ) -> Added | None:
        told = {
            DROP: self.drop.sha256,
            "_file": self.drop.name,
            "_suite": self.suite.hash,
            "_attempt": candidate.attempt,
        }
        rows = rows_aside(found.plan, marks_aside(found.plan, found.kept), originals, told)
        # A full delivery takes the place of the one before, with the rows that were set aside of it.
        mode: Mode = "overwrite" if self.replaces else "append"
        path = paths.quarantine_table(self.contract.name)
        return write_rows(
            self.session, rows, ref=candidate.branch, path=path, mode=mode, statistics=[DROP, ROW]
        )

    def _describe(
        self,
        candidate: Candidate,
        found: Evaluated,
        change: Change,
        added: Added | None,
        added_aside: Added | None,
    ) -> HopOutput:
        """The tables' files as they lie on the candidate, whose rows must be those that were meant to be."""
        parent, path = candidate.parent, paths.quarantine_table(self.contract.name)
        known = parent.quarantine if parent else []
        with ThreadPoolExecutor(1) as pool:  # their bytes are hashed beside the table's
            others = pool.submit(
                table_files, self.session, candidate.branch, path, known=known, added=added_aside
            )
            tables = written(self.session, self.contract, change, candidate, added=added, fresh=self.replaces)
            aside = others.result()
        kept = parent if not self.replaces else None
        there = sum(item.rows for item in aside) - (sum(item.rows for item in kept.quarantine) if kept else 0)
        if there != found.quarantined:
            what = f"{found.quarantined} rows were to be quarantined, {there} were written"
            raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
        settled, late = kept.settled if kept else [], 0
        if self.instead_of is not None and kept is not None:
            settled, late = resolve_superseded(
                self.session, self.contract, candidate, self.instead_of, self.folder
            )
        return HopOutput(
            found.outcomes,
            change.counts,
            tables.files,
            aside,
            tables.content,
            settled=settled,
            aside=quarantine_balance(parent, aside, {"superseded": late}, fresh=self.replaces),
            tombstones=tables.tombstones,
        )

    def _settle(self, candidate: Candidate) -> None:
        """What else changes in the tree: the drop is no longer pending, and its name is taken; or what was settled before is no more."""
        repository, contract = self.session.repository, self.contract
        repository.delete(candidate.branch, paths.pending(contract.name, self.drop.sha256))
        if self.replaces:
            if candidate.parent and candidate.parent.settled:
                restore_files(
                    self.session,
                    ref=candidate.branch,
                    path=paths.resolutions_table(contract.name),
                    files=[],
                    tag=candidate.base,
                )
            return
        body = {"format": paths.FORMAT, "drop": self.drop.sha256, "attempt": candidate.attempt}
        repository.put(
            candidate.branch, name_path(contract, self.drop), json.dumps(body, sort_keys=True).encode()
        )
