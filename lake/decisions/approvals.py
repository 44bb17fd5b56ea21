"""Approve or reject a held drop, with a reason, on record. A refused or failed drop can be rejected too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from catalog.contract import Contract
from lake import paths
from lake.decisions.decision import demand_reason
from lake.hops.delivery_cache import DeliveryCache
from lake.hops.gate.approvals import APPROVED, REJECTED
from lake.hops.open_drops import open_states
from lake.hops.runner import slot
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.receipts import is_pending, pending, received
from lake.pipeline.downstream import OnError, carry_features_from
from lake.pipeline.ingest import DropResult, carry_waiting, process_drops
from lake.runtime.identity import current_user
from lake.session import Session
from lake.versions.publish import publication
from lakegate.errors import UsageError

SHORTEST: Final = 4
"""Digits that a drop is named by, at least."""
HELD: Final = ("held", APPROVED)
REFUSED: Final = ("blocked", "failed")


@dataclass(frozen=True)
class OpenDrop:
    """What a person can decide on, with its newest record.

    `cause` is a drop, or the parents of a feature's next version.
    """

    contract: Contract
    cause: str
    record: records.Record
    body: dict[str, Any]

    @property
    def approved(self) -> bool:
        """Whether a person approved it already, and the process that went on with it died."""
        return self.record.state == APPROVED


def held_drops(session: Session) -> list[OpenDrop]:
    """Everything that is held, table by table, and what was approved and is not published yet."""
    return _drops(session, HELD)


def open_causes(session: Session, contract: Contract) -> Iterator[tuple[str, records.Record | None]]:
    """What may be decided on, each with its newest record where there is one.

    The pending drops of a dataset except those that a person rejected; the newest cause of a feature table.
    """
    if contract.kind != "dataset":
        if (newest := records.latest(session, dataset=contract.name)) is not None:
            yield newest.cause, newest
        return
    for digest, newest in open_states(session, contract.name).items():
        if newest is None or newest.state != REJECTED:
            yield digest, newest


def find_held(session: Session, name: str) -> OpenDrop:
    """The held drop whose SHA-256 begins with `name`.

    `dataset:` before the digits says which drop, where two datasets hold the same bytes.

    Raises:
        UsageError: None does, or more than one.
    """
    return _find(session, HELD, name, kind="held")


def find_rejectable(session: Session, name: str) -> OpenDrop:
    """The same of every drop that can be rejected: held, refused or failed, and not published.

    Raises:
        UsageError: None is called so, or more than one.
    """
    return _find(session, HELD + REFUSED, name, kind="held, refused or failed")


def _drops(session: Session, states: tuple[str, ...]) -> list[OpenDrop]:
    return [
        OpenDrop(contract, cause, newest, records.read(session, newest))
        for contract in session.catalog.contracts.values()
        for cause, newest in open_causes(session, contract)
        if newest is not None and newest.state in (states if contract.kind == "dataset" else HELD)
    ]


def _find(session: Session, states: tuple[str, ...], name: str, *, kind: str) -> OpenDrop:
    everything = _drops(session, states)
    dataset, _, digits = name.rpartition(":")
    digits = digits.lower()
    found = [
        item for item in everything if item.cause.startswith(digits) and dataset in ("", item.contract.name)
    ]
    long_enough = len(digits) >= SHORTEST
    if len(found) == 1 and long_enough:
        return found[0]
    if found and not long_enough:
        what = f"{name!r} names too few digits of a drop"
    elif found:
        what = f"{len(found)} {kind} drops begin with {name!r}"
    else:
        what = f"no {kind} drop begins with {name!r}"
        if long_enough:
            _refuse_decided(session, dataset, digits)
    known = ", ".join(f"{item.contract.name}:{item.cause[:12]}" for item in everything) or "nothing"
    how = f"name {SHORTEST} of the digits or more, and `dataset:` before them where two have the same"
    raise UsageError(what, fix=f"{kind}: {known}; {how}")


def _refuse_decided(session: Session, dataset: str, digits: str) -> None:
    """Raise UsageError where such a drop was rejected already, or is published."""
    for contract in session.catalog.datasets:
        if dataset not in ("", contract.name):
            continue
        for drop in pending(session, contract.name):
            if not drop.startswith(digits):
                continue
            newest = records.latest(session, dataset=contract.name, cause=drop)
            if newest is not None and newest.state == REJECTED:
                fix = "`lakegate ingest --force` has it judged anew"
                raise UsageError(f"{drop[:12]} was rejected already", fix=fix)
        if _any_published(session, contract.name, digits):
            what = f"the drop {digits[:12]} of {contract.name} is published"
            versions = f"`lakegate versions {contract.name}` tells as what"
            raise UsageError(what, fix=f"{versions}; `lakegate rollback` takes the last ones out")


def _any_published(session: Session, dataset: str, digits: str) -> bool:
    """Whether a drop of the dataset is published whose SHA-256 begins with these digits."""
    ending = f".{dataset}.json"
    for item in session.repository.listing(MAIN, f"{paths.publications(dataset)}{digits}"):
        cause = item.path.rpartition("/")[2].removesuffix(ending)
        if item.path.endswith(ending) and publication(
            session.repository, dataset=dataset, cause=cause, table=dataset
        ):
            return True
    return False


def approve(
    session: Session, held: OpenDrop, *, reason: str, on_error: OnError | None = None
) -> Iterator[DropResult]:
    """Let a held drop pass the rules that held it, and process it and the drops that waited for it.

    Other rules that it breaks still count.

    Args:
        session: The open lake.
        held: What is approved.
        reason: Why, put on record.
        on_error: Is called with what fails; without it the first failure is raised.

    Raises:
        UsageError: No reason was given.
    """
    if not held.approved:
        approved = {"rules": held.body["holding"], "suite_hash": held.body["suite_hash"]}
        _decide(session, held, APPROVED, reason, approved)
    if held.contract.kind == "feature":
        hops = tuple(carry_features_from(session, held.contract, on_error=on_error))
        yield DropResult(held.contract.name, held.cause, hops, "approved")
        return
    drop = received(session, held.contract.name, held.cause)
    yield from process_drops(session, held.contract, [drop], on_error=on_error)
    yield from carry_waiting(session, held.contract.name, tried={held.cause}, on_error=on_error)


def reject(
    session: Session, drop: OpenDrop, *, reason: str, on_error: OnError | None = None
) -> Iterator[DropResult]:
    """Reject a drop that was held, refused or failed; then process the drops that waited for it.

    Its bytes stay in raw. It is judged again only where it is delivered with `--force`.

    Args:
        session: The open lake.
        drop: What is rejected.
        reason: Why, put on record.
        on_error: Is called with what fails; without it the first failure is raised.

    Raises:
        UsageError: No reason was given, it was decided on already or is published, it is being judged, or it
            is a feature's version.
    """
    if drop.contract.kind == "feature":
        what = f"a version of {drop.contract.name} can't be rejected"
        fix = "approve it, or change its SQL or the rule: it is then judged anew"
        raise UsageError(f"{what}: the ones after it are made from the same inputs", fix=fix)
    if drop.approved:
        fix = "`lakegate approve` publishes it where that was cut off"
        raise UsageError(f"{drop.cause[:12]} was approved already", fix=fix)
    if session.cache(DeliveryCache).elsewhere(drop.cause):
        fix = "`lakegate status` tells what becomes of it"
        raise UsageError(f"{drop.cause[:12]} is being carried at this moment", fix=fix)
    why = f"rejected by {current_user()}: {reason.strip()} ({_why_open(drop)})"
    explained = f"{why}. `lakegate ingest --force` has it judged anew"
    _decide(session, drop, REJECTED, reason, drop.body | {"reason": explained})
    # Without a table: a rejection doesn't retry other drops that failed.
    yield from carry_waiting(session, None, tried={drop.cause}, on_error=on_error)


def _why_open(drop: OpenDrop) -> str:
    """What had become of it, in a few words; the record that says more stays."""
    body, state = drop.body, drop.record.state
    if state == "failed":
        return f"failed at {body.get('step') or 'an unknown step'}: {body.get('message', '')}"
    if state == "held":
        return f"held by {', '.join(body['holding'])}"
    rules = body.get("rules", ())
    broken = [rule["rule"] for rule in rules if rule["severity"] == "block" and rule["failed"]]
    return f"refused by {', '.join(broken) or 'the gate'}"


def _decide(session: Session, held: OpenDrop, state: str, reason: str, body: dict[str, Any]) -> None:
    """Put on record that a drop is APPROVED or REJECTED; `body` is what else the record says.

    Raises:
        UsageError: No reason was given, or the drop was judged or decided on meanwhile.
    """
    given = demand_reason(reason, "a decision")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = {"decision": given, "reason": given, **body, "by": current_user(), "at": now}
    dataset, cause, table = held.contract.name, held.cause, held.record.table
    # Who holds these leases waited for those who judge it, or publish it.
    with session.lease(slot(table, cause)), session.lease(table):
        newest = records.latest(session, dataset=dataset, cause=cause, table=table)
        published = held.contract.kind == "dataset" and not is_pending(session, dataset, cause)
        if newest is None or newest.path != held.record.path or published:
            what = f"{cause[:12]} was decided on, or judged again, meanwhile"
            raise UsageError(what, fix="`lakegate status` lists what is open now")
        key = held.record.key
        records.write(session, dataset=dataset, cause=cause, table=table, state=state, key=key, body=made)
