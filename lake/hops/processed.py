"""The processed hop: a raw drop becomes typed, judged rows of a Delta table, and rows set aside in its quarantine."""

from __future__ import annotations

from typing import Final

from catalog.contract import Contract
from expectations.building.build import build_suite
from expectations.verdict import Verdict
from lake import paths
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.evaluate import pin_references
from lake.hops.file_names import name_holder
from lake.hops.job import HopResult, Job
from lake.hops.processed_rows import DropRows
from lake.hops.published import published_version
from lake.hops.raw import source_of
from lake.hops.runner import run_hop
from lake.hops.schema_check import check_columns
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.receipts import Drop, clear_pending, is_pending, received
from lake.ledger.repair import SUPERSEDES
from lake.session import Session
from lake.versions import publish
from lakegate.errors import IntegrityError
from lakegate.manifest import Parent
from lakegate.names import VersionName

BEFORE_DELIVERY: Final = "expect_column_values_to_be_before_delivery"


def carry_processed(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """Type, judge and publish a received drop whose raw version stands."""
    session.renew_engine()
    suite = build_suite(contract, "processed", session.settings.project)
    raw_table = f"{contract.name}_raw"
    raw = publish.publication(session.repository, dataset=contract.name, cause=drop.sha256, table=raw_table)
    if raw is None:
        what = f"drop {drop.sha256[:12]} has no raw version"
        raise IntegrityError(what, fix="carry it through the raw hop first")
    check_columns(session, contract)
    if (later := superseded_by(session, contract, drop) or corrected_by(session, contract, drop)) is not None:
        return _superseded(session, contract, drop, later)
    source = published_version(session, VersionName(raw_table, int(raw["version"])))
    pins = pin_references(session, contract)
    present = ""
    if any(rule.type == BEFORE_DELIVERY for rule in suite.rules):  # which delivery is the present must not depend on who carries the drop
        drop = received(session, contract.name, drop.sha256)
        present = drop.delivered_at
    with session.caching(), session.scratch("processed") as folder:
        supersedes = drop.supersedes or contract.same_name == "supersede"
        instead_of = name_holder(session, contract, drop, base=MAIN) if supersedes else None
        rows = DropRows(session, contract, suite, drop, pins, source.manifest.counts.valid, folder, instead_of)
        job = Job(
            hop="processed",
            table=contract.name,
            dataset=contract.name,
            cause=drop.sha256,
            root=paths.processed_table(contract.name),
            contract=contract,
            suite=suite,
            judge=rows.judge,
            write=rows.write,
            pins=(Parent(raw_table, source.name.number, source.commit), *pins),
            source=source_of(contract, drop) | ({SUPERSEDES: instead_of} if instead_of else {}),
            delivered_at=drop.delivered_at,
            replaces=contract.write_mode == "replace",
            depends=(name_holder(session, contract, drop, base=MAIN) or "") + present + "supersedes" * supersedes,
        )
        result = run_hop(session, job, again=again)
    session.cache(DeliveryCache).release(drop.sha256)
    if result.verdict is Verdict.UNCHANGED and is_pending(session, contract.name, drop.sha256):
        clear_pending(session, contract.name, drop.sha256)
    return result


def superseded_by(session: Session, contract: Contract, drop: Drop) -> VersionName | None:
    """The version of a replace table that a later delivery made, where this one was held up and is too late to be the table."""
    head = publish.head(session.repository, contract.name)
    if contract.write_mode != "replace" or head is None or head["cause"] == drop.sha256:
        return None
    done = publish.publication(session.repository, dataset=contract.name, cause=drop.sha256, table=contract.name)
    if done is not None and not is_pending(session, contract.name, drop.sha256):
        return None
    latest = published_version(session, VersionName(contract.name, int(head["version"])))
    return latest.name if (latest.manifest.delivered_at or "") > drop.delivered_at else None


def corrected_by(session: Session, contract: Contract, drop: Drop) -> VersionName | None:
    """The version that took in a file of the same name which was delivered later: this one is the one that it corrects."""
    if not drop.supersedes and contract.same_name != "supersede":
        return None
    holder = name_holder(session, contract, drop, base=MAIN)
    if holder is None or received(session, contract.name, holder).delivered_at < drop.delivered_at:
        return None
    done = publish.publication(session.repository, dataset=contract.name, cause=holder, table=contract.name)
    return None if done is None else VersionName(contract.name, int(done["version"]))


def _superseded(session: Session, contract: Contract, drop: Drop, later: VersionName) -> HopResult:
    option = "--again" if contract.write_mode == "replace" else "--supersede"
    reason = f"{later} came of a delivery that was received after this one; `ingest {option}` delivers it anew"
    if is_pending(session, contract.name, drop.sha256):
        body = {"reason": reason, "by": str(later)}
        records.write(session, dataset=contract.name, cause=drop.sha256, table=contract.name, state="superseded", key="-", body=body)
        clear_pending(session, contract.name, drop.sha256)
    return HopResult("processed", contract.name, Verdict.UNCHANGED, None, {}, [], reason, cause=drop.sha256)
