"""Reprocess: a table rebuilt from raw under the present rules and references, published as one new version.

Each published drop is judged again, in the order of the publishes, on the table that the drops before it
left. So the table is what it would be had these rules been there at first. A drop that they block ends the
reprocess. Rows that a person discarded stay discarded where they are quarantined again.
"""

from __future__ import annotations

from functools import partial

from catalog.contract import Contract
from lake.decisions.decision import Decision, cause_of, latest_version
from lake.decisions.rebuild_writer import write_rebuilt
from lake.decisions.reprocess_judging import Rejudging
from lake.hops.evaluate import pin_references
from lake.hops.gate.published_before import published_before
from lake.hops.job import HopResult, Job
from lake.hops.runner import run_hop
from lake.lakefs.repository import MAIN
from lake.ledger.receipts import Drop, received
from lake.session import Session
from lake.tables.quarantine import published_as
from lake.versions import provenance, publish
from lakegate.errors import UsageError
from lakegate.manifest import Manifest
from lakegate.names import VersionName


def reprocess(session: Session, contract: Contract, *, since: str | None = None) -> HopResult:
    """Rebuild a table from raw.

    Args:
        session: The open lake.
        contract: The dataset's contract, as it is now.
        since: The first drop that is judged again (its SHA-256, or the beginning of it); rows of earlier
            drops stay.

    Raises:
        UsageError: The table has no version, there is no such drop, or the table's rows can't be told apart
            by drop.
        DataRejected: A drop is blocked now; nothing was published.
    """
    with (
        latest_version(session, contract) as parent,
        session.caching(),
        session.scratch("reprocess") as folder,
    ):
        if parent is None:
            raise UsageError(
                f"{contract.name} has no version yet", fix=f"`lakegate ingest {contract.name} FILE`"
            )
        drops = _published_drops(session, contract, parent)
        first = _first_of(contract, drops, since)
        decision = Decision(session, contract, parent, pin_references(session, contract))
        if _is_latest(decision, drops[first:]):
            return published_before(session, parent, "reprocess")
        rejudging = Rejudging(decision, folder, drops[:first])
        for drop in drops[first:]:
            rejudging.judge(drop)
        return run_hop(session, _job(decision, drops[first:], rejudging))


def _published_drops(session: Session, contract: Contract, parent: Manifest) -> list[Drop]:
    """The drops whose rows the table holds, oldest publish first; a replace table holds the latest drop."""
    found = []
    for number in range(1, parent.version + 1):
        made = publish.manifest_at(session.repository, MAIN, VersionName(contract.name, number))
        if "delivered_name" in made.source and published_as(session, contract.name, made.drop) == number:
            found.append(received(session, contract.name, made.drop))
    return found[-1:] if contract.write_mode == "replace" else found


def _first_of(contract: Contract, drops: list[Drop], since: str | None) -> int:
    """The place of the first drop that is judged again, by the beginning of its SHA-256."""
    if since is None:
        return 0
    if contract.write_mode != "append":
        what = f"{contract.name} has writeMode {contract.write_mode}"
        why = "its rows are not those of one drop after the other"
        raise UsageError(f"{what}: {why}", fix="leave --from out")
    places = [place for place, drop in enumerate(drops) if drop.sha256.startswith(since.lower())]
    if len(places) != 1:
        what = f"{len(places)} drops of {contract.name} begin with {since!r}"
        raise UsageError(what, fix=f"name one of {', '.join(drop.sha256[:12] for drop in drops)}")
    return places[0]


def _cause(decision: Decision, drops: list[Drop], before: str) -> str:
    """The cause of the publish: a version of the table, the judged drops, the rules and the references."""
    digests, pins = [drop.sha256 for drop in drops], [vars(pin) for pin in decision.pins]
    return cause_of(["reprocess", before, digests, decision.contract.hash, decision.suite.hash, pins])


def _is_latest(decision: Decision, drops: list[Drop]) -> bool:
    """Whether the latest version is this very reprocess, whose attempt may have died before it said so."""
    parent = decision.parent
    same_code = all(parent.code.get(name) == value for name, value in provenance.code().items())
    return same_code and parent.drop == _cause(decision, drops, str(parent.source.get("reprocesses")))


def _job(decision: Decision, drops: list[Drop], rejudging: Rejudging) -> Job:
    """The publish of the rebuilt table."""
    source = {
        **decision.contract.source,
        "reprocesses": str(decision.parent.name),
        "drops": [drop.sha256 for drop in drops],
    }
    cause = _cause(decision, drops, str(decision.parent.name))
    return decision.job(cause, source, partial(write_rebuilt, rejudging, rejudging.change()))
