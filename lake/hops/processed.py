"""The processed hop: a raw drop becomes typed, judged rows of a Delta table, and rows set aside in its quarantine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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
from lake.versions.publish import Published
from lakegate.errors import IntegrityError
from lakegate.manifest import Parent
from lakegate.names import VersionName

BEFORE_DELIVERY: Final = "expect_column_values_to_be_before_delivery"


def carry_processed(session: Session, contract: Contract, drop: Drop, *, again: bool = False) -> HopResult:
    """Type, judge and publish a received drop whose raw version stands."""
    session.renew_engine()
    raw_table, told = f"{contract.name}_raw", {"dataset": contract.name, "cause": drop.sha256}
    raw = publish.publication(session.repository, **told, table=raw_table)
    if raw is None:
        what = f"drop {drop.sha256[:12]} has no raw version"
        raise IntegrityError(what, fix="carry it through the raw hop first")
    check_columns(session, contract)
    if (later := superseded_by(session, contract, drop)) is not None:
        result = superseded(contract, drop, later)
        if is_pending(session, contract.name, drop.sha256):
            body = {"reason": result.reason, "by": str(later)}
            records.write(session, **told, table=contract.name, state="superseded", key="-", body=body)
            clear_pending(session, contract.name, drop.sha256)
        return result
    source = published_version(session, VersionName(raw_table, int(raw["version"])))
    with processed_job(session, contract, drop, source) as job:
        result = run_hop(session, job, again=again)
    session.cache(DeliveryCache).release(drop.sha256)
    if result.verdict is Verdict.UNCHANGED and is_pending(session, contract.name, drop.sha256):
        clear_pending(session, contract.name, drop.sha256)
    return result


@contextlib.contextmanager
def processed_job(session: Session, contract: Contract, drop: Drop, raw: Published | int) -> Iterator[Job]:
    """The processed hop of a drop, whose rows are kept from the judgement to the write.

    `raw` is its raw version; in a dry run, where it has none, how many readable records that would have.
    """
    suite = build_suite(contract, "processed", session.settings.project)
    pins = pin_references(session, contract)
    parents = () if isinstance(raw, int) else (Parent(raw.name.table, raw.name.number, raw.commit),)
    readable = raw if isinstance(raw, int) else raw.manifest.counts.valid
    present, new, replaces = "", not drop.receipt, contract.write_mode == "replace"
    if any(
        rule.type == BEFORE_DELIVERY for rule in suite.rules
    ):  # which delivery is the present must not depend on who carries the drop
        drop = drop if new else received(session, contract.name, drop.sha256)
        present = drop.delivered_at
    with session.caching(), session.scratch("processed") as folder:
        supersedes = drop.supersedes or contract.same_name == "supersede"
        holder = name_holder(session, contract, drop, base=MAIN)
        instead_of = holder if supersedes else None
        latest = publish.head(session.repository, contract.name) if new and replaces else None
        rows = DropRows(session, contract, suite, drop, pins, readable, folder, instead_of)
        yield Job(
            hop="processed",
            table=contract.name,
            dataset=contract.name,
            cause=drop.sha256,
            root=paths.processed_table(contract.name),
            contract=contract,
            suite=suite,
            judge=rows.judge,
            write=rows.write,
            pins=(*parents, *pins),
            source=source_of(contract, drop) | ({SUPERSEDES: instead_of} if instead_of else {}),
            delivered_at=drop.delivered_at,
            replaces=replaces,
            anew=latest is not None and latest["cause"] != drop.sha256,
            depends=(holder or "") + present + "supersedes" * supersedes,
        )


def superseded_by(session: Session, contract: Contract, drop: Drop) -> VersionName | None:
    """The version of a later delivery that replaced the table, or corrects this one: this one is too late."""
    if contract.write_mode != "replace":
        return _corrected_by(session, contract, drop)
    head = publish.head(session.repository, contract.name)
    if head is None or head["cause"] == drop.sha256:
        return None
    done = publish.publication(
        session.repository, dataset=contract.name, cause=drop.sha256, table=contract.name
    )
    if done is not None and not is_pending(session, contract.name, drop.sha256):
        return None
    latest = published_version(session, VersionName(contract.name, int(head["version"])))
    return latest.name if (latest.manifest.delivered_at or "") > drop.delivered_at else None


def _corrected_by(session: Session, contract: Contract, drop: Drop) -> VersionName | None:
    """The version that took in a file of the same name which was delivered later: this one is the one that it corrects."""
    if not drop.supersedes and contract.same_name != "supersede":
        return None
    holder = name_holder(session, contract, drop, base=MAIN)
    if holder is None or received(session, contract.name, holder).delivered_at < drop.delivered_at:
        return None
    done = publish.publication(session.repository, dataset=contract.name, cause=holder, table=contract.name)
    return None if done is None else VersionName(contract.name, int(done["version"]))


def superseded(contract: Contract, drop: Drop, later: VersionName) -> HopResult:
    """What is answered of a drop that such a version leaves nothing of."""
    option = "--force" if contract.write_mode == "replace" else "--supersede"
    reason = (
        f"{later} came of a delivery that was received after this one; `ingest {option}` delivers it anew"
    )
    return HopResult("processed", contract.name, Verdict.UNCHANGED, None, {}, [], reason, cause=drop.sha256)
