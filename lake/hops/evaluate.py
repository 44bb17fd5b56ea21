"""The rows of a drop: typed, joined with pinned references, labelled with the rules that they break."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.drift.baseline_rules import NO_PAST
from expectations.drift.histogram import Histograms
from expectations.drift.precedent import Past
from expectations.plan.apply_joins import mark
from expectations.plan.execute import count_labelled, label, outcomes
from expectations.plan.execute_distributions import Baselines, ask_distributions
from expectations.plan.plan import Plan, make_plan
from expectations.plan.published_columns import reference_columns
from expectations.plan.rule_bitmask import bits, holds, is_quarantined
from expectations.rules.joins import Tables
from expectations.suite import Suite
from expectations.typed_frame import ROW, typed
from expectations.verdict import Outcome
from lake.engine.failing_rule import naming_the_rule
from lake.hops.published import latest_version, published_version
from lake.session import Session
from lake.tables.proved_files import demand_sound_columns
from lake.tables.reader import read_version
from lakegate.errors import IntegrityError
from lakegate.manifest import Parent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine


@dataclass(frozen=True)
class Evaluated:
    """A drop's rows, each labelled with the rules it breaks, and the counts taken from the same pass."""

    plan: Plan
    labelled: DataFrame
    files: Path
    """The folder of its Parquet files."""
    valid: int
    quarantined: int
    outcomes: tuple[Outcome, ...]
    histograms: Histograms

    @property
    def blocked(self) -> bool:
        """Whether a blocking rule failed."""
        return any(item.rule.severity == "block" and not item.success for item in self.outcomes)


def pin_references(session: Session, contract: Contract) -> tuple[Parent, ...]:
    """The versions of the referenced datasets that this attempt is judged against.

    Raises:
        IntegrityError: One of them has no version.
    """
    pins = []
    for table in contract.references:
        if (latest := latest_version(session, table)) is None:
            what = f"{contract.name} refers to {table}, which has no version"
            raise IntegrityError(what, fix=f"publish {table} first")
        pins.append(Parent(table, latest.name.number, latest.commit))
    return tuple(pins)


def evaluate(
    session: Session,
    contract: Contract,
    suite: Suite,
    *,
    staging: Path,
    folder: Path,
    pins: tuple[Parent, ...],
    published: DataFrame | None,
    delivered_at: str,
    earlier: DataFrame | None = None,
    baselines: Baselines = lambda _: {},
    past: Past = NO_PAST,
    before: int | None = None,
) -> Evaluated:
    """Label the rows of a staging file in one pass, write them into `folder`, and count from there.

    Args:
        session: The open lake.
        contract: Gives types, keys and relationships.
        suite: The rules of the processed hop.
        staging: What was parsed, see `lake.parsing.parsed.Parsed`.
        folder: Scratch folder of the labelled rows.
        pins: The references' versions.
        published: The table that the drop is appended to, whose keys must not come again; None where it is
            replaced.
        delivered_at: When the drop was delivered, the present of rules about time.
        earlier: The published rows that came before this drop; None: all of them.
        baselines: Histograms of earlier versions, for rules that compare with them.
        past: What earlier deliveries added, for rules about an unusual change.
        before: Rows of the version that these replace; None where they replace none.
    """
    engine, plan = session.engine, make_plan(suite, contract, delivered_at=delivered_at)

    def reference(table: str) -> DataFrame:
        (pin,) = (item for item in pins if item.table == table)
        ref = pin.commit if session.dry_run else pin.name.tag  # a dry run names no version that lacks its tag
        manifest = published_version(session, pin.name).manifest
        if session.references.copies(manifest):
            columns = [item["name"] for item in manifest.schema]
        else:
            columns = [*reference_columns(suite, table)]
        demand_sound_columns(session, ref, manifest, columns)
        return session.references.frame(manifest, lambda: read_version(session, manifest, ref))

    rows = typed(engine.read_staging(staging), contract)
    frame = mark(rows, plan, published=published, reference=reference, earlier=earlier)
    keep, tables, files = [*plan.columns, ROW], Tables(published, reference), folder / "labelled"
    with naming_the_rule(engine, frame, plan, tables):
        with engine.small_on_the_left():
            labelled = engine.write_scratch(label(frame, plan, keep=keep), files)
        counted = count_labelled(labelled, plan, engine.rows, tables)
    passing = f"not {is_quarantined(plan)}"
    histograms, distributions = ask_distributions(
        labelled, plan, baselines, engine.rows, passing=passing, past=past
    )
    found = outcomes(plan, counted, distributions=distributions, before=before)
    return Evaluated(plan, labelled, files, counted.valid, counted.quarantined, found, histograms)


def quarantined_by_rule(engine: Engine, labelled: DataFrame, plan: Plan) -> dict[str, int]:
    """How many of these rows each rule quarantines; a row may break several."""
    rules = bits(plan, severity="quarantine")
    if not rules:
        return {}
    counts = [
        f"count(case when {holds(bit)} then 1 end) as r{number}" for number, bit in enumerate(rules.values())
    ]
    (row,) = engine.rows(labelled.selectExpr(*counts))
    return dict(zip(rules, map(int, row), strict=True))
