"""A drop's rows, typed, joined with pinned references and labelled with the rules they break, in one evaluation."""

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
from lake.hops.published import published_version
from lake.session import Session
from lake.tables.proved_files import demand_sound_columns
from lake.tables.reader import read_version
from lake.versions import publish
from lakegate.errors import IntegrityError
from lakegate.manifest import Parent
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from lake.engine.engine import Engine


@dataclass(frozen=True)
class Evaluated:
    """A drop's rows, each labelled with the rules it breaks, and the counts taken from the same pass."""

    plan: Plan
    labelled: DataFrame
    kept: Path
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
        latest = publish.head(session.repository, table)
        if latest is None:
            what = f"{contract.name} refers to {table}, which has no version"
            raise IntegrityError(what, fix=f"publish {table} first")
        name = VersionName(table, int(latest["version"]))
        pins.append(Parent(table, name.number, published_version(session, name).commit))
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
    """Label the rows of a staging file in one evaluation, kept in `folder`, and count from it.

    Args:
        session: The open lake.
        contract: Gives types, keys and relationships.
        suite: The rules of the processed hop.
        staging: What was parsed, see `lake.parsing.parsed.Parsed`.
        folder: Scratch folder that the labelled rows are kept in.
        pins: The references' versions.
        published: The table that the drop is appended to, whose keys must not come again; None where it is replaced.
        delivered_at: When the drop was delivered, the present of rules about time.
        earlier: Those of the published rows that came before this drop; all of them where it is None.
        baselines: Histograms of earlier versions, for rules that compare with them.
        past: What earlier deliveries added, for rules that ask whether a change stands out.
        before: Rows of the version whose place these take; None where they take none.
    """
    engine, plan = session.engine, make_plan(suite, contract, delivered_at=delivered_at)

    def reference(table: str) -> DataFrame:
        (pin,) = (item for item in pins if item.table == table)
        manifest = published_version(session, pin.name).manifest
        whole = session.references.copies(manifest)
        columns = (item["name"] for item in manifest.schema) if whole else reference_columns(suite, table)
        demand_sound_columns(session, pin.name.tag, manifest, columns)
        return session.references.frame(manifest, lambda: read_version(session, manifest, pin.name.tag))

    frame = mark(
        typed(engine.read_staging(staging), contract),
        plan,
        published=published,
        reference=reference,
        earlier=earlier,
    )
    keep, tables = [*plan.columns, ROW], Tables(None, published, reference)
    with naming_the_rule(engine, frame, plan, tables):
        with engine.small_on_the_left():
            labelled = engine.write_scratch(label(frame, plan, keep=keep), kept := folder / "labelled")
        counted = count_labelled(labelled, plan, engine.rows, tables)
    histograms, distributions = ask_distributions(
        labelled, plan, baselines, engine.rows, passing=f"not {is_quarantined(plan)}", past=past
    )
    found = outcomes(plan, counted, distributions=distributions, before=before)
    return Evaluated(plan, labelled, kept, counted.valid, counted.aside, found, histograms)


def aside_by_rule(engine: Engine, labelled: DataFrame, plan: Plan) -> dict[str, int]:
    """How many of these rows each rule sets aside; a row may break several."""
    rules = bits(plan, severity="quarantine")
    if not rules:
        return {}
    counts = [
        f"count(case when {holds(bit)} then 1 end) as r{number}" for number, bit in enumerate(rules.values())
    ]
    (row,) = engine.rows(labelled.selectExpr(*counts))
    return dict(zip(rules, map(int, row), strict=True))
