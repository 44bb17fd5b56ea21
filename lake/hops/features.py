"""The features hop: a SQL query over pinned versions becomes a feature table.

A feature table gets one version per version of its driver, the first of its inputs unless the contract names
one.
"""

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
from lake.hops.published import finish_interrupted, latest_name, latest_version, published_version
from lake.hops.runner import run_hop
from lake.lakefs.repository import MAIN
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.content_hash import add, content_of
from lake.tables.data_files import table_files
from lake.tables.proved_files import demand_sound
from lake.tables.reader import read_version, uri_of
from lake.tables.writer import write_table
from lake.versions.publish import Candidate
from lakegate.errors import ContractError, IntegrityError
from lakegate.manifest import Counts, Parent
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def next_cause(session: Session, contract: Contract) -> tuple[str, tuple[Parent, ...]] | None:
    """The cause of the feature table's next version, as a name, and its pinned parents.

    There is one version per version of the driver, in order; then one more where another input has moved on
    since. None where no version is missing, or an input has no version yet.
    """
    numbers: dict[str, int] = {}
    for table in contract.inputs:
        if (latest := latest_name(session, table)) is None:
            return None
        numbers[table] = latest.number
    driver = contract.driver or contract.inputs[0]
    made = latest_version(session, contract.name)
    pinned = {item.table: item.version for item in made.manifest.parents} if made else {}
    step = pinned.get(driver, 0) + 1
    while step < numbers[driver] and session.repository.get(MAIN, paths.expired(driver, step)) is not None:
        step += 1  # that version expired before this table was made from it
    if step <= numbers[driver]:
        return str(VersionName(driver, step)), _pins(session, numbers | {driver: step})
    if any(pinned.get(table) != number for table, number in numbers.items()):
        names = "+".join(str(VersionName(table, number)) for table, number in sorted(numbers.items()))
        return names, _pins(session, numbers)
    return None


def _pins(session: Session, numbers: dict[str, int]) -> tuple[Parent, ...]:
    versions = [published_version(session, VersionName(*item)) for item in sorted(numbers.items())]
    return tuple(Parent(item.name.table, item.name.number, item.commit) for item in versions)


def carry_features(session: Session, contract: Contract, *, again: bool = False) -> HopResult | None:
    """Make the feature table's next missing version; None where none is missing."""
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
            what, fix = f"{contract.name} has no SQL", "name its file under customProperties: sql"
            raise ContractError(what, where=str(contract.path), fix=fix)
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
        path, branch = paths.feature_table(contract.name), candidate.branch
        manifests = {pin: published_version(session, pin.name).manifest for pin in self.pins}
        for pin, manifest in manifests.items():
            demand_sound(session, pin.name.tag, manifest.files, version=pin.name)
        inputs = {pin.table: read_version(session, made, pin.name.tag) for pin, made in manifests.items()}
        rows_of = {pin.table: made.counts.after for pin, made in manifests.items()}
        steps.report("write.table")
        keys = {item.name: item.key for item in session.catalog.features if item.name in inputs}
        frame, query = result_of(engine, contract, inputs, keys=keys)
        statistics = [*contract.with_statistics, *PROVENANCE]
        with failing_sql(contract):
            write_table(session, frame, ref=branch, path=path, mode="overwrite", statistics=statistics)
        files = table_files(session, branch, path, known=[])
        logged, written, number, rows = sum(item.rows for item in files), None, 0, 0
        if logged:
            written = engine.read_parquet([uri_of(session, branch, item) for item in files if item.rows])
            demand_numbers(engine, contract, written, query)
        outcomes, notes = self._judge(written, inputs, rows_of, candidate)
        if written is not None:
            number, rows = content_of(engine, written, contract)
        if rows != logged:
            what = f"{rows} rows can be read, the Delta log says {logged}"
            raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
        before = candidate.parent.counts.after if candidate.parent else 0
        counts = Counts(rows, rows, 0, 0, before=before, inserted=rows, deleted=before, after=rows)
        return HopOutput(outcomes, counts, files, content_hash=add(None, number), notes=notes)

    def _judge(
        self,
        frame: DataFrame | None,
        inputs: dict[str, DataFrame],
        rows_of: dict[str, int],
        candidate: Candidate,
    ) -> tuple[tuple[Outcome, ...], dict[str, str]]:
        """The outcomes of the suite on the written rows (None: no row), and the note of their histograms."""
        plan, collect, parent = (
            make_plan(self.suite, self.contract),
            self.session.engine.rows,
            candidate.parent,
        )
        notes: dict[str, str] = {}
        if frame is None:
            counted = nothing_counted(plan)
            found = judge_distributions(plan, Histograms(), {}, clusters=defaultdict(Cluster))
        else:
            compare = Comparison(self.session, self.contract, parent, candidate.base, whole=True)
            seen, found = ask_distributions(frame, plan, compare.baselines, collect, past=compare.past)
            notes = compare.keep(candidate, seen, plan.histograms)
            marked = mark(frame, plan, published=None, reference=inputs.__getitem__)
            counted = count_rows(marked, plan, collect, Tables(None, inputs.__getitem__))
        before = parent.counts.after if parent else None
        return outcomes(plan, counted, other_rows=rows_of, distributions=found, before=before), notes
