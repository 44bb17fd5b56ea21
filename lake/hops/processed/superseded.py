"""Deliveries that come too late: a later delivery replaced the table, or corrected this one."""

from __future__ import annotations

from catalog.contract import Contract
from expectations.verdict import Verdict
from lake.hops.file_names import name_holder
from lake.hops.job import HopResult
from lake.hops.published import published_as, published_version
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import Drop, is_pending, received
from lake.session import Session
from lake.versions import publish
from lakegate.names import VersionName


def superseded_by(session: Session, contract: Contract, drop: Drop) -> VersionName | None:
    """The version of a later delivery that replaced the table, or corrects this one; else None."""
    name = contract.name
    if contract.write_mode != "replace":
        return _corrected_by(session, contract, drop)
    head = publish.head(session.repository, name)
    if head is None or head["cause"] == drop.sha256:
        return None
    done = published_as(session, dataset=name, cause=drop.sha256, table=name)
    if done is not None and not is_pending(session, name, drop.sha256):
        return None
    latest = published_version(session, VersionName(name, int(head["version"])))
    return latest.name if (latest.manifest.delivered_at or "") > drop.delivered_at else None


def _corrected_by(session: Session, contract: Contract, drop: Drop) -> VersionName | None:
    """The version of a file with the same name that was delivered later: it corrects this one."""
    if not drop.supersedes and contract.same_name != "supersede":
        return None
    holder = name_holder(session, contract, drop, base=MAIN)
    if holder is None or received(session, contract.name, holder).delivered_at < drop.delivered_at:
        return None
    return published_as(session, dataset=contract.name, cause=holder, table=contract.name)


def superseded(contract: Contract, drop: Drop, later: VersionName) -> HopResult:
    """The result of a drop that such a version leaves nothing to do for."""
    option = "--force" if contract.write_mode == "replace" else "--supersede"
    what = f"{later} came of a delivery that was received after this one"
    reason = f"{what}; `ingest {option}` delivers it anew"
    return HopResult("processed", contract.name, Verdict.UNCHANGED, None, {}, [], reason, cause=drop.sha256)
