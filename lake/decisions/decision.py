"""What decisions that make a version share: the state they start from, their job, and the resolution of rows.

Replay, discard, rollback and reprocess each start from the table's latest version, under the table's lease.
Their publish is caused by that version and by what was requested, so the same decision made twice is one
publish.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.plan.plan import Plan
from expectations.plan.rule_bitmask import is_quarantined
from expectations.suite import Suite
from expectations.typed_frame import DROP, ROW
from lake import paths
from lake.hops.job import HopOutput, Job
from lake.hops.published import finish_interrupted
from lake.runtime.identity import current_user
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.tables.data_files import table_files
from lake.tables.quarantine import Resolution, latest_manifest, quarantine_balance, resolution_rows
from lake.tables.writer import write_table
from lake.versions.publish import Candidate
from lakegate.errors import IntegrityError, UsageError
from lakegate.manifest import DataFile, Manifest, Parent, sha256

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def demand_reason(reason: str, decision: str) -> str:
    """The reason that a person gave, without the spaces around it.

    Raises:
        UsageError: There is none.
    """
    if not (given := reason.strip()):
        raise UsageError(f"{decision} needs a reason", fix="add --reason, which goes on record")
    return given


@contextlib.contextmanager
def latest_version(session: Session, contract: Contract) -> Iterator[Manifest | None]:
    """Hold a table's lease and give the manifest of its latest version, None before the first.

    A publish that was interrupted is finished first.
    """
    with session.lease(contract.name):
        finish_interrupted(session, contract.name)
        yield latest_manifest(session, contract.name)


def cause_of(parts: Sequence[Any]) -> str:
    """The cause of a decision's publish: the hash of all that it depends on."""
    return sha256(json.dumps(parts, sort_keys=True).encode())


@dataclass(frozen=True)
class Decision:
    """A decision on a dataset: the version that it starts from, and the pinned versions that it goes by."""

    session: Session
    contract: Contract
    parent: Manifest
    pins: tuple[Parent, ...] = ()

    @cached_property
    def suite(self) -> Suite:
        """The present rules."""
        return build_suite(self.contract, "processed", self.session.settings.project)

    def job(
        self, cause: str, source: Mapping[str, Any], write: Callable[[Candidate, StepTimer], HopOutput]
    ) -> Job:
        """The publish of the decision.

        Args:
            cause: See `cause_of`.
            source: What the version's manifest says of the decision, except who made it.
            write: Writes the version onto its candidate.
        """
        return Job(
            hop="processed",
            table=self.contract.name,
            dataset=self.contract.name,
            cause=cause,
            root=paths.processed_table(self.contract.name),
            contract=self.contract,
            suite=self.suite,
            write=write,
            pins=self.pins,
            source={**source, "by": current_user()},
            delivered_at=self.parent.delivered_at,
        )

    def resolve(
        self, candidate: Candidate, rows: Mapping[Resolution, tuple[DataFrame, int]], *, reason: str = ""
    ) -> tuple[list[DataFile], dict[str, int]]:
        """Record what became of quarantined rows.

        Args:
            candidate: The version in which it happens.
            rows: By what became of them, rows with DROP and ROW, and how many these are.
            reason: Why, where a person gave one.

        Returns:
            The files of all such records, and the quarantine's balance.

        Raises:
            IntegrityError: Not as many rows were written.
        """
        path, before = paths.resolutions_table(self.contract.name), self.parent.resolved
        for state, (frame, _) in rows.items():
            resolved = resolution_rows(
                frame, state, version=candidate.number, attempt=candidate.attempt, reason=reason
            )
            write_table(
                self.session, resolved, ref=candidate.branch, path=path, mode="append", statistics=[DROP, ROW]
            )
        files = table_files(self.session, candidate.branch, path, known=before)
        counts = {state: count for state, (_, count) in rows.items()}
        written = sum(item.rows for item in files) - sum(item.rows for item in before)
        if written != sum(counts.values()):
            what = f"{sum(counts.values())} rows were to be resolved, {written} were"
            raise IntegrityError(what, where=str(candidate.name), fix="nothing was published; report this")
        return files, quarantine_balance(self.parent, self.parent.quarantine, counts)


def passing_rows(labelled: DataFrame, plan: Plan, contract: Contract, drop: str) -> DataFrame:
    """The labelled rows of a drop that no rule quarantines: the contract's columns, DROP and ROW."""
    from pyspark.sql import functions as F  # noqa: N812

    columns = [column.name for column in contract.columns]
    return labelled.where(f"not {is_quarantined(plan)}").select(*columns, F.lit(drop).alias(DROP), F.col(ROW))


def row_count(session: Session, frame: DataFrame) -> int:
    """How many rows a frame has."""
    ((count,),) = session.engine.rows(frame.groupBy().count())
    return int(count)
