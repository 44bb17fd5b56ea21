"""The processed hop of one drop: its job, judged while others publish and written under the table's lease."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.verdict import Verdict
from lake import paths
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.evaluate import pin_references
from lake.hops.file_names import name_holder
from lake.hops.gate.schema_check import check_columns
from lake.hops.job import HopOutput, HopResult, Job
from lake.hops.processed.judge_rows import Delivery, JudgedRows, judge_rows, refuse_name
from lake.hops.processed.superseded import superseded, superseded_by
from lake.hops.processed.write_rows import write_drop
from lake.hops.published import published_as, published_version
from lake.hops.raw import source_of
from lake.hops.runner import run_hop
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.receipts import Drop, clear_pending, is_pending, received
from lake.ledger.repair import SUPERSEDES
from lake.runtime.step_timer import StepTimer
from lake.session import Session
from lake.versions import publish
from lake.versions.publish import Candidate, Published
from lakegate.errors import Conflict, IntegrityError
from lakegate.manifest import Manifest, Parent

BEFORE_DELIVERY: Final = "expect_column_values_to_be_before_delivery"


def carry_processed(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """Type, judge and publish a received drop that has a raw version."""
    session.renew_engine()
    words = {"dataset": contract.name, "cause": drop.sha256}
    raw = published_as(session, dataset=contract.name, cause=drop.sha256, table=f"{contract.name}_raw")
    if raw is None:
        what = f"drop {drop.sha256[:12]} has no raw version"
        raise IntegrityError(what, fix="carry it through the raw hop first")
    check_columns(session, contract)
    if (later := superseded_by(session, contract, drop)) is not None:
        result = superseded(contract, drop, later)
        if is_pending(session, contract.name, drop.sha256):
            body = {"reason": result.reason, "by": str(later)}
            records.write(session, **words, table=contract.name, state="superseded", key="-", body=body)
            clear_pending(session, contract.name, drop.sha256)
        return result
    with processed_job(session, contract, drop, published_version(session, raw)) as job:
        result = run_hop(session, job, again=again)
    session.cache(DeliveryCache).release(drop.sha256)
    if result.verdict is Verdict.UNCHANGED and is_pending(session, contract.name, drop.sha256):
        clear_pending(session, contract.name, drop.sha256)
    return result


@contextlib.contextmanager
def processed_job(session: Session, contract: Contract, drop: Drop, raw: Published | int) -> Iterator[Job]:
    """The processed hop of a drop, with a scratch folder for its rows from the judgement to the write.

    Args:
        session: The open lake.
        contract: The dataset's.
        drop: The drop.
        raw: Its raw version; in a dry run, where it has none, how many readable records that would have.
    """
    name, new, replaces = contract.name, not drop.receipt, contract.write_mode == "replace"
    suite, pins = (
        build_suite(contract, "processed", session.settings.project),
        pin_references(session, contract),
    )
    if isinstance(raw, int):
        readable, parents = raw, pins
    else:
        readable = raw.manifest.counts.valid
        parents = (Parent(raw.name.table, raw.name.number, raw.commit), *pins)
    present = ""
    if any(rule.type == BEFORE_DELIVERY for rule in suite.rules):
        # The time of delivery must not depend on which process judges the drop.
        drop = drop if new else received(session, name, drop.sha256)
        present = drop.delivered_at
    with session.caching(), session.scratch("processed") as folder:
        supersedes = drop.supersedes or contract.same_name == "supersede"
        holder = name_holder(session, contract, drop, base=MAIN)
        instead_of = holder if supersedes else None
        latest = publish.head(session.repository, name) if new and replaces else None
        rows = _Rows(Delivery(session, contract, suite, drop, pins, readable, folder, instead_of))
        yield Job(
            hop="processed",
            table=name,
            dataset=name,
            cause=drop.sha256,
            root=paths.processed_table(name),
            contract=contract,
            suite=suite,
            judge=rows.judge,
            write=rows.write,
            pins=parents,
            source=source_of(contract, drop) | ({SUPERSEDES: instead_of} if instead_of else {}),
            delivered_at=drop.delivered_at,
            replaces=replaces,
            anew=latest is not None and latest["cause"] != drop.sha256,
            depends=(holder or "") + present + "supersedes" * supersedes,
        )


@dataclass
class _Rows:
    """The rows of a drop, judged on main as it is, and again where that matters when they are written."""

    delivery: Delivery
    judged: JudgedRows | None = None
    times: int = 0
    """How often they were judged."""

    def judge(self, base: str, steps: StepTimer) -> HopOutput:
        """Judge the rows on a commit of main; nothing is written but scratch files."""
        delivery = self.delivery
        parent = publish.latest_at(delivery.session.repository, base, delivery.contract.name)
        if (refused := refuse_name(delivery, base, parent)) is not None:
            return refused
        return self._judge(base, parent, steps).output

    def write(self, candidate: Candidate, steps: StepTimer) -> HopOutput:
        """Write what was judged; first judge again where the head moved since and that matters.

        Raises:
            Conflict: The rows were to replace a version that is not the latest any more.
        """
        if (refused := refuse_name(self.delivery, candidate.base, candidate.parent)) is not None:
            return refused
        judged = self.judged
        if judged is None or not self._holds_on(judged, candidate.parent):
            steps.report("rebase")
            judged = self._judge(candidate.base, candidate.parent, steps)
        return write_drop(self.delivery, judged, candidate, steps)

    def _judge(self, base: str, parent: Manifest | None, steps: StepTimer) -> JudgedRows:
        self.times += 1
        folder = self.delivery.folder / str(self.times)
        self.judged = judge_rows(self.delivery, base, parent, folder, steps)
        return self.judged

    def _holds_on(self, judged: JudgedRows, parent: Manifest | None) -> bool:
        """Whether a judgement holds on a version of the table, and needs no other one to be written."""
        if (judged.parent and judged.parent.name) == (parent and parent.name):
            # Rows that were held have no change. They are written only if a person approved them since.
            return judged.change is not None or judged.found.blocked
        if self.delivery.replaces:
            name = parent.name if parent else self.delivery.contract.name
            what = f"{name} was published since this delivery was judged"
            raise Conflict(what, fix="run it again: it is then judged as what follows that version")
        return False
