"""The judgement on the rows of a drop: which the rules let pass, and what change they make of the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract
from expectations.plan.rule_bitmask import is_quarantined
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from lake.drift.version_histograms import Comparison
from lake.hops.evaluate import Evaluated, evaluate
from lake.hops.file_names import name_holder, name_taken
from lake.hops.gate.approvals import approval, unapproved_holds
from lake.hops.gate.mostly_quarantined import mostly_quarantined
from lake.hops.job import NOTHING, HopOutput
from lake.hops.raw import parse_received
from lake.ledger.receipts import Drop
from lake.parsing.source_records import Originals
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.change import Change, Passed, change_of, plain_counts
from lake.tables.reader import published_rows
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError
from lakegate.manifest import Manifest, Parent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Delivery:
    """What judging and writing one drop's rows needs."""

    session: Session
    contract: Contract
    suite: Suite
    drop: Drop
    pins: tuple[Parent, ...]
    records: int
    """Readable records of the drop's raw version: each must become a row here."""
    folder: Path
    """Scratch folder for what was judged until it is written."""
    instead_of: str | None = None
    """The published drop that this one corrects."""

    @property
    def replaces(self) -> bool:
        """Whether the drop replaces all that was delivered before, quarantined rows among it."""
        return self.contract.write_mode == "replace"


@dataclass(frozen=True)
class JudgedRows:
    """What the rules found on one version of the table, and the change that they let pass."""

    parent: Manifest | None
    compare: Comparison
    found: Evaluated
    originals: Originals | None
    output: HopOutput
    """What the gate reads: outcomes, counts and notes."""
    change: Change | None
    """None where the drop is blocked, or a person has to decide first: nothing is to be written then."""


def refuse_name(delivery: Delivery, base: str, parent: Manifest | None) -> HopOutput | None:
    """The refusal of a drop that comes under the name of another one; None where its name is free."""
    holder = name_holder(delivery.session, delivery.contract, delivery.drop, base=base)
    if holder is None or holder == delivery.instead_of:
        return None
    before = parent.counts.after if parent else 0
    return HopOutput((name_taken(delivery.drop),), replace(NOTHING, before=before, after=before))


def judge_rows(
    delivery: Delivery, base: str, parent: Manifest | None, folder: Path, steps: StepTimer
) -> JudgedRows:
    """Evaluate the rows once, on a version of the table; nothing is written but scratch files.

    Args:
        delivery: The drop.
        base: The commit of main whose tables they are judged against.
        parent: The table's version in that commit.
        folder: Scratch folder that this makes.
        steps: Hears how far the judgement is.
    """
    session, contract, suite = delivery.session, delivery.contract, delivery.suite
    steps.report("parse")
    parsed = parse_received(session, contract, delivery.drop)
    if parsed.staging is None:
        what, fix = "the raw version can't be parsed any more", "restore the file format in its contract"
        raise IntegrityError(what, where=delivery.drop.sha256[:12], fix=fix)
    published = _published(delivery, base, parent)
    folder.mkdir()
    steps.report("evaluate")
    compare = Comparison(session, contract, parent, base, whole=delivery.replaces)
    found = evaluate(
        session,
        contract,
        suite,
        staging=parsed.staging,
        folder=folder,
        pins=delivery.pins,
        published=published,
        delivered_at=delivery.drop.delivered_at,
        baselines=compare.baselines,
        past=compare.past,
        before=parent.counts.after if parent and delivery.replaces else None,
    )
    valid, quarantined = found.valid, found.quarantined
    notes = mostly_quarantined(session, contract, found, parsed=parsed, parent=parent, published=published)
    counts = plain_counts(valid, quarantined, delivery.records, parent, replaces=delivery.replaces)
    change = None
    if not found.blocked and not _is_held(delivery, found):
        passed = Passed(_passing(delivery, found), valid, quarantined, delivery.records)
        here = Candidate(contract.name, contract.name, delivery.drop.sha256, base, base, "", parent)
        change = change_of(session, contract, passed, here, folder=folder, instead_of=delivery.instead_of)
        counts = change.counts
    output = HopOutput(found.outcomes, counts, notes=notes)
    return JudgedRows(parent, compare, found, parsed.originals, output, change)


def _published(delivery: Delivery, base: str, parent: Manifest | None) -> DataFrame | None:
    """The rows of an append table, whose keys must not come again, without those of a corrected drop."""
    if parent is None or delivery.contract.write_mode != "append":
        return None
    published = published_rows(delivery.session, delivery.contract, delivery.suite, parent, base)
    if published is not None and delivery.instead_of:
        return published.where(f"{DROP} <> '{delivery.instead_of}'")
    return published


def _is_held(delivery: Delivery, found: Evaluated) -> bool:
    """Whether a person has to decide first."""
    if not (held := unapproved_holds(found.outcomes, ())):
        return False
    name, cause = delivery.contract.name, delivery.drop.sha256
    approved = approval(
        delivery.session, dataset=name, table=name, cause=cause, suite_hash=delivery.suite.hash
    )
    return bool(unapproved_holds(held, approved.get("rules", ())))


def _passing(delivery: Delivery, found: Evaluated) -> DataFrame:
    """The rows that are not quarantined: the contract's columns, DROP and ROW."""
    from pyspark.sql import functions as F  # noqa: N812

    names = [column.name for column in delivery.contract.columns]
    rows = found.labelled.where(f"not {is_quarantined(found.plan)}")
    return rows.select(*names, F.lit(delivery.drop.sha256).alias(DROP), F.col(ROW))
