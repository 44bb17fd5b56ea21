"""A drop's rows, typed, joined with pinned references and labelled with the rules they break, in one evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.contract import Contract, Relationship
from expectations.frame import RECORD, ROW, frame_types, reference_marker, typed
from expectations.rows import UNIQUE_TYPES, label, mark_duplicates, tally
from expectations.suite import Suite
from expectations.tables import judge_table
from expectations.verdict import Outcome
from lake import layout, publish
from lake.hop import finished
from lake.session import Session
from lakegate.errors import IntegrityError
from lakegate.manifest import Counts, Parent
from lakegate.names import VersionName

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Evaluated:
    """A drop's rows, each labelled with the rules it breaks, and the counts taken from the same pass."""

    labelled: DataFrame
    valid: int
    quarantined: int
    outcomes: tuple[Outcome, ...]

    @property
    def blocked(self) -> bool:
        """Whether a blocking rule failed."""
        return any(item.rule.severity == "block" and not item.success for item in self.outcomes)

    def counts(self, *, records: int, before: int, appends: bool) -> Counts:
        """The processed hop's equations for a drop of `records` readable records on a table of `before` rows."""
        deleted = 0 if appends else before
        after = before + self.valid - deleted
        return Counts(records, self.valid, self.quarantined, 0, before=before, inserted=self.valid, deleted=deleted, after=after)


def missing_reference(session: Session, contract: Contract) -> str | None:
    """The first dataset that the contract refers to and that has no version yet."""
    for relation in contract.relationships:
        if publish.head(session.repository, relation.to) is None:
            return relation.to
    return None


def pin_references(session: Session, contract: Contract) -> tuple[Parent, ...]:
    """The versions of the referenced datasets that this attempt is judged against.

    Raises:
        IntegrityError: One of them has no version.
    """
    pins = []
    for table in sorted({relation.to for relation in contract.relationships}):
        latest = publish.head(session.repository, table)
        if latest is None:
            what = f"{contract.name} refers to {table}, which has no version"
            raise IntegrityError(what, fix=f"publish {table} first")
        name = VersionName(table, int(latest["version"]))
        pins.append(Parent(table, name.number, finished(session, name).commit))
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
) -> Evaluated:
    """Label the rows of a staging file in one evaluation, kept in `folder`, and count from it.

    Args:
        session: The open lake.
        contract: Gives types, keys and relationships.
        suite: The rules of the processed hop.
        staging: Parquet of text columns with `_row` and `_record`.
        folder: Scratch folder that the labelled rows are kept in.
        pins: The references' versions.
        published: The table that the drop is appended to, whose keys must not come again; None where it is replaced.
    """
    engine = session.engine
    frame = typed(engine.read_parquet([staging.as_uri()]), contract)
    for relation in contract.relationships:
        frame = _join_reference(session, frame, relation, pins)
    for rule in suite.rules:
        if rule.type in UNIQUE_TYPES:
            frame = mark_duplicates(frame, rule, published=published)
    keep = [*[column.name for column in contract.columns], ROW, RECORD]
    labelled = engine.write_scratch(label(frame, suite, frame_types(contract, with_text=True), keep=keep), folder / "labelled")
    rows, by_rule = tally(labelled)
    counts = {bool(item["aside"]): int(item["rows"]) for item in engine.rows(rows)}
    failed = {str(item["rule"]): int(item["rows"]) for item in engine.rows(by_rule)}
    valid, aside = counts.get(False, 0), counts.get(True, 0)
    row_outcomes = [Outcome(rule, failed.get(rule.id, 0), valid + aside) for rule in suite.rules if rule.row_rule]
    table_outcomes = [judge_table(rule, valid=valid, quarantined=aside) for rule in suite.rules if not rule.row_rule]
    return Evaluated(labelled, valid, aside, (*row_outcomes, *table_outcomes))


def _join_reference(session: Session, frame: DataFrame, relation: Relationship, pins: tuple[Parent, ...]) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    (pin,) = (item for item in pins if item.table == relation.to)
    marker = reference_marker(relation.columns[0], relation.to)
    keys = session.engine.read_delta(pin.name.tag, layout.processed_table(relation.to))
    found = keys.select(F.col(relation.to_columns[0]).alias(marker)).where(F.col(marker).isNotNull()).distinct()
    return frame.join(found, on=F.col(relation.columns[0]) == F.col(marker), how="left")
