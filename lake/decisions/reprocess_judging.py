"""Judge published drops again, for a reprocess: each on the table that the drops before it left."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from expectations.building.build import build_suite
from expectations.typed_frame import DROP, ROW
from expectations.verdict import Outcome, Verdict, verdict_of
from lake.decisions.decision import Decision, passing_rows, row_count
from lake.engine.scratch_table import ScratchTable
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.evaluate import Evaluated, evaluate
from lake.hops.gate.approvals import unapproved_holds
from lake.hops.gate.messages import blocked_message, held_message
from lake.hops.published import published_version
from lake.hops.raw import judge_raw, parse_received
from lake.ledger.receipts import Drop
from lake.parsing.parsed import Parsed
from lake.parsing.source_records import Originals, quarantined_marks, quarantined_rows
from lake.tables.change import Change
from lake.tables.proved_files import demand_sound
from lake.tables.quarantine import judged_at
from lake.tables.reader import read_files
from lake.tables.upsert import KEY_EXISTS, MERGE_ACTION, classify_rows, deleted_keys, rows_after
from lake.versions import publish
from lakegate.errors import DataRejected, IntegrityError, UsageError
from lakegate.manifest import Counts
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from catalog.contract import Upsert


ATTEMPT: Final = "_attempt"
"""Column of the quarantine: the attempt that published a row, which is known when the row is written."""


class Rejudging:
    """The table as the drops judged so far leave it, and what was found of them.

    `results` count the rows of each drop, as `lakegate ingest --json` names them; `quarantined` are files.

    Args:
        decision: The reprocess.
        folder: Scratch folder.
        untouched: The drops whose rows stay as they are.
    """

    def __init__(self, decision: Decision, folder: Path, untouched: list[Drop]) -> None:
        session, parent = decision.session, decision.parent
        self.decision, self.folder, self.untouched = decision, folder, untouched
        self.counted, self.failed = Counter[str](), Counter[str]()
        self.quarantined: list[Path] = []
        self.results: dict[str, dict[str, int]] = {}
        self._passing = ScratchTable(session.engine, folder / "rows")
        self._deleted = ScratchTable(session.engine, folder / "gone")
        if (rows := self._untouched_rows()) is not None:
            demand_sound(session, parent.name.tag, parent.files, version=parent.name)
            self.counted["untouched"] = row_count(session, rows)

    def judge(self, drop: Drop) -> None:
        """Judge a drop on the table that the drops before it left, and make its rows part of that.

        Raises:
            DataRejected: The drop is blocked, or held.
            IntegrityError: Not the records that were delivered can be read of it.
        """
        session, contract = self.decision.session, self.decision.contract
        session.renew_engine()
        folder = self.folder / str(len(self.results))
        folder.mkdir()
        parsed, staging = self._parse(drop)
        found = evaluate(
            session,
            contract,
            self.decision.suite,
            staging=staging,
            folder=folder,
            pins=self.decision.pins,
            published=self._table() if contract.write_mode == "append" else None,
            delivered_at=judged_at(session, contract.name, drop.sha256) or drop.delivered_at,
        )
        self._demand_accepted(drop, parsed, found)
        self.results[drop.sha256] = {
            "rows_in": parsed.readable,
            "rows_valid": found.valid,
            "rows_quarantined": found.quarantined,
        }
        self.counted += Counter(records=parsed.readable, valid=found.valid, quarantined=found.quarantined)
        for item in found.outcomes:
            self.failed[item.rule.id] += item.failed
        rows = passing_rows(found.labelled, found.plan, contract, drop.sha256)
        if contract.upsert is None:
            self.counted["inserted"] += found.valid
            self._passing.add(rows)
        else:
            self._merge(contract.upsert, rows, folder / "fates")
        self.quarantined.append(self._write_quarantined(found, parsed.originals, drop, folder))
        for scratch in (found.files, folder / "fates"):
            shutil.rmtree(scratch, ignore_errors=True)
        session.cache(DeliveryCache).release(drop.sha256)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes of the row rules on all drops together."""
        rules, records = self.decision.suite.rules, self.counted["records"]
        return tuple(Outcome(rule, self.failed[rule.id], records) for rule in rules if rule.row_rule)

    def change(self) -> Change:
        """The rebuilt table, which replaces the published one."""
        if (table := self._table()) is None:
            raise UsageError(f"no drop of {self.decision.contract.name} is published", fix="ingest one")
        count, before = self.counted, self.decision.parent.counts.after
        after = count["untouched"] + count["inserted"] - count["deleted"]
        counts = Counts(
            count["records"],
            count["valid"],
            count["quarantined"],
            0,
            before=before,
            inserted=count["inserted"],
            deleted=before + count["inserted"] - after,
            after=after,
            updated=count["updated"],
            unchanged=count["unchanged"],
            tombstones=count["tombstone"],
            outdated=count["outdated"],
        )
        return Change(table, after, "overwrite", counts, self._deleted.frame())

    def _table(self) -> DataFrame | None:
        return self._passing.with_others(self._untouched_rows())

    def _untouched_rows(self) -> DataFrame | None:
        if not self.untouched:
            return None
        parent = self.decision.parent
        if (rows := read_files(self.decision.session, parent.files, parent.name.tag)) is None:
            return None
        drops = ", ".join(f"'{drop.sha256}'" for drop in self.untouched)
        columns = [column.name for column in self.decision.contract.columns]
        return rows.where(f"{DROP} in ({drops})").select(*columns, DROP, ROW)

    def _parse(self, drop: Drop) -> tuple[Parsed, Path]:
        """What a drop holds by the present contract, and its staging file."""
        session, contract = self.decision.session, self.decision.contract
        parsed = parse_received(session, contract, drop)
        arrived = judge_raw(build_suite(contract, "raw", session.settings.project), parsed)
        if verdict_of(arrived, quarantined=0) is Verdict.BLOCKED:
            raise self._rejected(drop, arrived)
        if parsed.staging is None:
            what = "the raw version can't be parsed any more"
            raise IntegrityError(what, where=drop.sha256[:12], fix="restore the file format in its contract")
        return parsed, parsed.staging

    def _demand_accepted(self, drop: Drop, parsed: Parsed, found: Evaluated) -> None:
        """Refuse a drop that the gate stops now, or of which not all delivered records can be read."""
        session, contract = self.decision.session, self.decision.contract
        if found.blocked:
            raise self._rejected(drop, found.outcomes)
        raw, cause = f"{contract.name}_raw", drop.sha256
        done = publish.publication(session.repository, dataset=contract.name, cause=cause, table=raw) or {}
        delivered = published_version(session, VersionName(raw, int(done["version"]))).manifest.counts.valid
        if parsed.readable != delivered:
            what = f"{drop.name}: {parsed.readable} records can be read now"
            what += f", {delivered} could when it was delivered"
            where, fix = f"drop {drop.sha256[:12]}", f"restore the file format in {contract.path.name}"
            raise IntegrityError(what, where=where, fix=fix)
        if held := unapproved_holds(found.outcomes, ()):
            message = held_message(contract, held, cause=drop.sha256, file=drop.name)
            raise DataRejected(message, where=f"drop {drop.sha256[:12]}", fix="")

    def _rejected(self, drop: Drop, outcomes: tuple[Outcome, ...]) -> DataRejected:
        message = blocked_message(self.decision.contract, outcomes, file=drop.name)
        return DataRejected(message, where=f"drop {drop.sha256[:12]}", fix="")

    def _write_quarantined(
        self, found: Evaluated, originals: Originals | None, drop: Drop, folder: Path
    ) -> Path:
        """Write the quarantined rows of a drop into a file, while its original records are at hand."""
        from pyarrow import parquet

        suite = self.decision.suite.hash
        alike = {DROP: drop.sha256, "_file": drop.name, "_suite": suite, ATTEMPT: ""}
        rows = quarantined_rows(found.plan, quarantined_marks(found.plan, found.files), originals, alike)
        path = folder / "quarantined.parquet"
        with parquet.ParquetWriter(path, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)
        return path

    def _merge(self, upsert: Upsert, rows: DataFrame, folder: Path) -> None:
        """Merge rows into an upsert table by key; `folder` holds what becomes of each."""
        from pyspark.sql import functions as F  # noqa: N812

        contract, engine = self.decision.contract, self.decision.session.engine
        table, deleted = self._table(), self._deleted.frame()
        classified = engine.write_scratch(classify_rows(contract, upsert, rows, table, deleted), folder)
        by_action = classified.groupBy(MERGE_ACTION).agg(
            F.count(F.lit(1)), F.sum(F.col(KEY_EXISTS).cast("bigint"))
        )
        for action, count, existing in engine.rows(by_action):
            self.counted[str(action)] += int(count)
            if action == "tombstone":
                self.counted["deleted"] += int(existing)
        self._deleted.replace(deleted_keys(contract, upsert, classified, deleted))
        self._passing.replace(rows_after(contract, classified, table))
