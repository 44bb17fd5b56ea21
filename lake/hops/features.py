"""The features hop: a SQL query over pinned versions becomes a feature table, one version per version of its driver."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.drift.histogram import Histograms
from expectations.plan.apply_joins import mark
from expectations.plan.execute import count_rows, nothing_counted, outcomes
from expectations.plan.execute_distributions import ask_distributions, judge_distributions
from expectations.plan.outlier_clusters import Cluster
from expectations.plan.plan import make_plan
from expectations.rules.joins import Tables
from expectations.suite import Suite
from expectations.typed_frame import PROVENANCE
from expectations.verdict import Outcome
from lake import paths
from lake.drift.version_histograms import Comparison
from lake.hops.feature_result import demand_numbers, failing_sql, result_of
from lake.hops.job import HopOutput, HopResult, Job
from lake.hops.published import finish_interrupted, published_version
from lake.hops.runner import run_hop
from lake.lakefs.repository import MAIN
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.content_hash import add, content_of
from lake.tables.data_files import table_files
from lake.tables.proved_files import demand_sound
from lake.tables.reader import read_version, uri_of
from lake.tables.writer import write_table
from lake.versions import publish
from lake.versions.publish import Candidate
from lakegate.errors import ContractError, IntegrityError
from lakegate.manifest import Counts, Parent
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def next_cause(session: Session, contract: Contract) -> tuple[str, tuple[Parent, ...]] | None:
    """What the feature table's next version is made for: a name for the cause, and its pinned parents.

    One per version of the driver, in order; then one more where another input has moved on since. None where nothing
    is missing, or an input has no version yet.
    """
    repository = session.repository
    latest = {table: publish.head(repository, table) for table in contract.inputs}
    driver = contract.driver or contract.inputs[0]
    if any(found is None for found in latest.values()):
        return None
    numbers = {table: int(found["version"]) for table, found in latest.items() if found}
    head = publish.head(repository, contract.name)
    made = (
        published_version(session, VersionName(contract.name, int(head["version"]))).manifest
        if head
        else None
    )
    pinned = {item.table: item.version for item in made.parents} if made else {}
    step = pinned.get(driver, 0) + 1
    while step < numbers[driver] and repository.get(MAIN, paths.expired(driver, step)) is not None:
        step += 1  # it ended before this table was made from it
    if step <= numbers[driver]:
        return str(VersionName(driver, step)), _pins(session, numbers | {driver: step})
    if any(pinned.get(table) != number for table, number in numbers.items()):
        names = "+".join(str(VersionName(table, number)) for table, number in sorted(numbers.items()))
        return names, _pins(session, numbers)
    return None


def carry_features(session: Session, contract: Contract, *, again: bool = False) -> HopResult | None:
    """Make the feature table's next missing version; None where nothing is missing."""
    session.renew_engine()
    with session.lease(contract.name):
        finish_interrupted(session, contract.name)
        found = next_cause(session, contract)
        if found is None:
            return None
        cause, pins = found
        suite = build_suite(contract, "features", session.settings.project)
        sql = contract.sql
        if sql is None:
            raise ContractError(
                f"{contract.name} has no SQL",
                where=str(contract.path),
                fix="name its file under customProperties: sql",
            )
        job = Job(
            hop="features",
            table=contract.name,
            dataset=contract.name,
            cause=hashlib.sha256(cause.encode()).hexdigest(),
            root=paths.feature_table(contract.name),
            contract=contract,
            suite=suite,
            write=_Work(session, contract, suite, pins).write,
            pins=pins,
            sql_hash=hashlib.sha256(sql.encode()).hexdigest(),
            source={"query": sql, "cause": cause},
        )
        return run_hop(session, job, again=again)


def _pins(session: Session, numbers: dict[str, int]) -> tuple[Parent, ...]:
    pins = []
    for table, number in sorted(numbers.items()):
        pins.append(Parent(table, number, published_version(session, VersionName(table, number)).commit))
    return tuple(pins)


@dataclass(frozen=True)
class _Work:
    """What writing one version of a feature table onto a candidate needs."""

    session: Session
    contract: Contract
    suite: Suite
    pins: tuple[Parent, ...]

    def write(self, candidate: Candidate, steps: StepTimer) -> HopOutput:
        """Run the SQL over the pinned inputs, write its result, and judge what was written."""
        session, contract, engine = self.session, self.contract, self.session.engine
        path = paths.feature_table(contract.name)
        for pin in self.pins:
            demand_sound(
                session, pin.name.tag, published_version(session, pin.name).manifest.files, version=pin.name
            )
        inputs = {
            pin.table: read_version(session, published_version(session, pin.name).manifest, pin.name.tag)
            for pin in self.pins
        }
        rows_of = {pin.table: published_version(session, pin.name).manifest.counts.after for pin in self.pins}
        steps.report("write.table")
        keys = {item.name: item.key for item in session.catalog.features if item.name in inputs}
        frame, query = result_of(engine, contract, inputs, keys=keys)
        with failing_sql(contract):
            write_table(
                session,
                frame,
                ref=candidate.branch,
                path=path,
                mode="overwrite",
                statistics=[*contract.with_statistics, *PROVENANCE],
            )
        files = table_files(session, candidate.branch, path, known=[])
        logged = sum(item.rows for item in files)
        compare = Comparison(session, contract, candidate.parent, candidate.base, whole=True)
        if not logged:
            number, rows, (outcomes, notes) = 0, 0, self._judge(None, inputs, rows_of, compare, candidate)
        else:
            written = engine.read_parquet(
                [uri_of(session, candidate.branch, item) for item in files if item.rows]
            )
            demand_numbers(engine, contract, written, query)
            outcomes, notes = self._judge(written, inputs, rows_of, compare, candidate)
            number, rows = content_of(engine, written, contract)
        if rows != logged:
            what = f"{rows} rows can be read, the Delta log says {logged}"
            raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
        before = candidate.parent.counts.after if candidate.parent else 0
        counts = Counts(rows, rows, 0, 0, before=before, inserted=rows, deleted=before, after=rows)
        return HopOutput(outcomes, counts, files, [], add(None, number), notes=notes)

    def _judge(
        self,
        frame: DataFrame | None,
        inputs: dict[str, DataFrame],
        rows_of: dict[str, int],
        compare: Comparison,
        candidate: Candidate,
    ) -> tuple[tuple[Outcome, ...], dict[str, str]]:
        """The outcomes of the suite on what was written (None: nothing), and what the manifest notes of its histograms."""
        plan, rows = make_plan(self.suite, self.contract), self.session.engine.rows
        before = candidate.parent.counts.after if candidate.parent else None
        if frame is None:
            found = judge_distributions(plan, Histograms(), {}, clusters=defaultdict(Cluster))
            return outcomes(
                plan, nothing_counted(plan), other_rows=rows_of, distributions=found, before=before
            ), {}
        seen, found = ask_distributions(frame, plan, compare.baselines, rows, past=compare.past)
        notes = compare.keep(candidate, seen, plan.histograms)
        marked = mark(frame, plan, published=None, reference=inputs.__getitem__)
        counted = count_rows(marked, plan, rows, Tables(None, None, inputs.__getitem__))
        return outcomes(plan, counted, other_rows=rows_of, distributions=found, before=before), notes
