"""The processed hop: a raw drop becomes typed, judged rows of a Delta table, and rows set aside in its quarantine."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from catalog.contract import Contract
from expectations.build import build_suite
from expectations.frame import DROP, ROW
from expectations.masks import aside
from expectations.suite import Suite
from expectations.verdict import Verdict
from lake import layout, ledger, publish
from lake.answers import approval, holding
from lake.aside import count_aside
from lake.columns import check_columns
from lake.content import content_after
from lake.delivered import name_holder, name_path, name_taken
from lake.delta import list_table, table_files
from lake.distributions import Comparison
from lake.evaluate import Evaluated, evaluate, pin_references
from lake.hop import finished, run_hop
from lake.job import HopResult, Job, Written
from lake.originals import Originals, marks_aside, rows_aside
from lake.publish import Candidate
from lake.raw import parse_received, source_of
from lake.receive import Drop, is_pending, received, settle
from lake.repository import MAIN
from lake.session import Session
from lake.steps import Steps
from lake.tables import uri_of, write_rows, write_table
from lakegate.errors import IntegrityError
from lakegate.manifest import Counts, Parent
from lakegate.names import VersionName

BEFORE_DELIVERY: Final = "expect_column_values_to_be_before_delivery"


def carry_processed(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """Type, judge and publish a received drop whose raw version stands."""
    suite = build_suite(contract, "processed", session.settings.project)
    raw_table = f"{contract.name}_raw"
    raw = publish.publication(session.repository, dataset=contract.name, cause=drop.sha256, table=raw_table)
    if raw is None:
        what = f"drop {drop.sha256[:12]} has no raw version"
        raise IntegrityError(what, fix="carry it through the raw hop first")
    check_columns(session, contract)
    if (later := superseded_by(session, contract, drop)) is not None:
        return _superseded(session, contract, drop, later)
    source = finished(session, VersionName(raw_table, int(raw["version"])))
    pins = pin_references(session, contract)
    present = ""
    if any(rule.type == BEFORE_DELIVERY for rule in suite.rules):  # which delivery is the present must not depend on who carries the drop
        drop = received(session, contract.name, drop.sha256)
        present = drop.delivered_at
    work = _Work(session, contract, suite, drop, pins, source.manifest.counts.valid)
    job = Job(
        hop="processed",
        table=contract.name,
        dataset=contract.name,
        cause=drop.sha256,
        root=layout.processed_table(contract.name),
        contract=contract,
        suite=suite,
        write=work.write,
        pins=(Parent(raw_table, source.name.number, source.commit), *pins),
        source=source_of(contract, drop),
        delivered_at=drop.delivered_at,
        replaces=contract.write_mode == "replace",
        depends=(name_holder(session, contract, drop, base=MAIN) or "") + present,
    )
    result = run_hop(session, job, again=again)
    session.drops.release(drop.sha256)
    if result.verdict is Verdict.UNCHANGED and is_pending(session, contract.name, drop.sha256):
        settle(session, contract.name, drop.sha256)
    return result


def superseded_by(session: Session, contract: Contract, drop: Drop) -> VersionName | None:
    """The version of a replace table that a later delivery made, where this one was held up and is too late to be the table."""
    head = publish.head(session.repository, contract.name)
    if contract.write_mode != "replace" or head is None or head["cause"] == drop.sha256:
        return None
    done = publish.publication(session.repository, dataset=contract.name, cause=drop.sha256, table=contract.name)
    if done is not None and not is_pending(session, contract.name, drop.sha256):
        return None
    latest = finished(session, VersionName(contract.name, int(head["version"])))
    return latest.name if (latest.manifest.delivered_at or "") > drop.delivered_at else None


def _superseded(session: Session, contract: Contract, drop: Drop, later: VersionName) -> HopResult:
    reason = f"{later} came of a delivery that was received after this one"
    if is_pending(session, contract.name, drop.sha256):
        body = {"reason": reason, "by": str(later)}
        ledger.write(session, dataset=contract.name, cause=drop.sha256, table=contract.name, state="superseded", key="-", body=body)
        settle(session, contract.name, drop.sha256)
    return HopResult("processed", contract.name, Verdict.UNCHANGED, None, {}, [], reason, cause=drop.sha256)


@dataclass(frozen=True)
class _Work:
    """What writing one drop's processed rows onto a candidate needs."""

    session: Session
    contract: Contract
    suite: Suite
    drop: Drop
    pins: tuple[Parent, ...]
    records: int
    """Readable records of the drop's raw version: what has to come in here."""

    @property
    def appends(self) -> bool:
        return self.contract.write_mode == "append"

    @property
    def mode(self) -> Literal["append", "overwrite"]:
        return "append" if self.appends else "overwrite"

    @property
    def table(self) -> str:
        return layout.processed_table(self.contract.name)

    @property
    def quarantine(self) -> str:
        return layout.quarantine_table(self.contract.name)

    @property
    def settled(self) -> str:
        return layout.settled_table(self.contract.name)

    def write(self, candidate: Candidate, steps: Steps) -> Written:
        """Evaluate once, write both tables from it, and describe what was written."""
        session, parent = self.session, candidate.parent
        before = parent.counts.after if parent else 0
        if self.appends and (taken := name_taken(session, self.contract, self.drop, base=candidate.base)) is not None:
            return Written((taken,), Counts(0, 0, 0, 0, before=before, inserted=0, deleted=0, after=before))
        with session.at_hand(), session.scratch("processed") as folder:
            steps.tell("parse")
            parsed = parse_received(session, self.contract, self.drop)
            if parsed.staging is None:
                what = "the raw version can't be parsed any more"
                raise IntegrityError(what, where=self.drop.sha256[:12], fix="restore the file format in its contract")
            published = session.engine.read_delta(candidate.branch, self.table) if self.appends and before else None
            steps.tell("evaluate")
            compare = Comparison(session, self.contract, parent, candidate.base, whole=not self.appends)
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
            )
            counts = found.counts(records=self.records, before=before, appends=self.appends)
            if found.blocked or self._holds(found):
                return Written(found.outcomes, counts)
            with ThreadPoolExecutor(1) as pool:  # a write waits for the gateway more than for a core
                steps.tell("write.table")
                valid = pool.submit(self._write_valid, found, candidate)
                steps.tell("write.quarantine")
                if found.quarantined or (parent and parent.quarantine and not self.appends):
                    self._write_aside(found, candidate, parsed.originals)
                valid.result()
            notes = compare.keep(candidate, found.histograms, found.plan.histograms)
        return replace(self._describe(candidate, found, counts), notes=notes)

    def _holds(self, found: Evaluated) -> bool:
        """Whether a person has to decide first: then nothing needs to be written."""
        held = holding(found.outcomes, ())
        asked = {"dataset": self.contract.name, "table": self.contract.name, "cause": self.drop.sha256, "suite_hash": self.suite.hash}
        return bool(held) and bool(holding(held, approval(self.session, **asked).get("rules", ())))

    def _write_valid(self, found: Evaluated, candidate: Candidate) -> None:
        from pyspark.sql import functions as F  # noqa: N812

        columns = [column.name for column in self.contract.columns]
        rows = found.labelled.where(f"not {aside(found.plan)}").select(*columns, F.lit(self.drop.sha256).alias(DROP), F.col(ROW))
        write_table(
            self.session,
            rows,
            ref=candidate.branch,
            path=self.table,
            mode=self.mode,
            statistics=[*self.contract.with_statistics, ROW, DROP],
        )

    def _write_aside(self, found: Evaluated, candidate: Candidate, originals: Originals | None) -> None:
        told = {DROP: self.drop.sha256, "_file": self.drop.name, "_suite": self.suite.hash, "_attempt": candidate.attempt}
        rows = rows_aside(found.plan, marks_aside(found.plan, found.kept), originals, told)
        # A full delivery takes the place of the one before, with the rows that were set aside of it.
        write_rows(self.session, rows, ref=candidate.branch, path=self.quarantine, mode=self.mode, statistics=[DROP, ROW])

    def _describe(self, candidate: Candidate, found: Evaluated, counts: Counts) -> Written:
        """Both tables' files as they lie on the candidate, whose rows must be those that were meant to be."""
        session, repository, parent = self.session, self.session.repository, candidate.parent
        listed = list_table(repository, candidate.branch, self.table, known=parent.files if parent else [])
        with ThreadPoolExecutor(2) as pool:  # their bytes are hashed beside their content
            uri = partial(uri_of, session, candidate.branch)
            read = pool.submit(content_after, session.engine, self.contract, listed, parent if self.appends else None, uri=uri)
            others = pool.submit(table_files, repository, candidate.branch, self.quarantine, known=parent.quarantine if parent else [])
            files = table_files(repository, candidate.branch, self.table, known=parent.files if parent else [], listed=listed)
            (content, rows), aside = read.result(), others.result()
        before_aside = sum(item.rows for item in parent.quarantine) if parent and self.appends else 0
        meant = {"rows written": found.valid, "rows of the table": counts.after, "rows set aside": found.quarantined}
        there = {
            "rows written": rows,
            "rows of the table": sum(item.rows for item in files),
            "rows set aside": sum(item.rows for item in aside) - before_aside,
        }
        if there != meant:
            what = f"what was written is not what was meant: {there}, meant {meant}"
            raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
        if self.appends:
            body = {"format": layout.FORMAT, "drop": self.drop.sha256, "attempt": candidate.attempt}
            repository.put(candidate.branch, name_path(self.contract, self.drop), json.dumps(body, sort_keys=True).encode())
        repository.delete(candidate.branch, layout.pending(self.contract.name, self.drop.sha256))
        if not self.appends:  # what became of rows of the delivery before goes with them
            for item in repository.listing(candidate.branch, f"{self.settled}/"):
                repository.delete(candidate.branch, item.path)
        settled = parent.settled if parent and self.appends else []
        balance = count_aside(parent, aside, {}, fresh=not self.appends)
        return Written(found.outcomes, counts, files, aside, content, settled=settled, aside=balance)
