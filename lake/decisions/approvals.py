"""A drop that the gate held: a person lets it pass, or rejects it, with a reason, on record. A refused or failed one can be rejected too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from catalog.contract import Contract
from lake import paths
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
    """What a person can decide on: the cause (a drop, or the parents of a feature's next version), and the newest record of it."""

    contract: Contract
    cause: str
    record: records.Record
    body: dict[str, Any]

    @property
    def approved(self) -> bool:
        """Whether a person let it pass already, and whoever carried it died before it was published."""
        return self.record.state == APPROVED


def held_drops(session: Session) -> list[OpenDrop]:
    """Everything that is held, table by table, and what was approved and is not published yet."""
    return _drops(session, HELD)


def open_causes(session: Session, contract: Contract) -> Iterator[tuple[str, records.Record | None]]:
    """What may be decided on, each with its newest record where there is one.

    The pending drops of a dataset but for those that a person rejected; the newest cause that a feature table was tried for.
    """
    if contract.kind != "dataset":
        if (newest := records.newest(session, contract.name)) is not None:
            yield newest.cause, newest
        return
    for digest, newest in open_states(session, contract.name).items():
        if newest is None or newest.state != REJECTED:
            yield digest, newest


def find_held(session: Session, name: str) -> OpenDrop:
    """The held drop whose SHA-256 begins so; `dataset:` before it says which, where two datasets hold the same bytes.

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
    everything, (dataset, _, digits) = _drops(session, states), name.rpartition(":")
    found = [
        item
        for item in everything
        if item.cause.startswith(digits.lower()) and dataset in ("", item.contract.name)
    ]
    if len(found) == 1 and len(digits) >= SHORTEST:
        return found[0]
    if not found and len(digits) >= SHORTEST:
        _refuse_decided(session, dataset, digits.lower())
    known = ", ".join(f"{item.contract.name}:{item.cause[:12]}" for item in everything) or "nothing"
    what = (
        f"{len(found)} {kind} drops begin with {name!r}" if found else f"no {kind} drop begins with {name!r}"
    )
    if found and len(digits) < SHORTEST:
        what = f"{name!r} names too few digits of a drop"
    raise UsageError(
        what,
        fix=f"{kind}: {known}; name {SHORTEST} of the digits or more, and `dataset:` before them where two have the same",
    )


def _refuse_decided(session: Session, dataset: str, digits: str) -> None:
    """Say of a drop that a person rejected already, or that is published, that it is so."""
    for contract in [contract for contract in session.catalog.datasets if dataset in ("", contract.name)]:
        for digest in pending(session, contract.name):
            newest = (
                records.latest(session, dataset=contract.name, cause=digest)
                if digest.startswith(digits)
                else None
            )
            if newest is not None and newest.state == REJECTED:
                raise UsageError(
                    f"{digest[:12]} was rejected already", fix="`lakegate ingest --force` has it judged anew"
                )
        prefix, end = f"{paths.publications(contract.name)}{digits}", f".{contract.name}.json"
        causes = [
            item.path.rpartition("/")[2].removesuffix(end)
            for item in session.repository.listing(MAIN, prefix)
            if item.path.endswith(end)
        ]
        if any(
            publication(session.repository, dataset=contract.name, cause=cause, table=contract.name)
            for cause in causes
        ):
            what = f"the drop {digits[:12]} of {contract.name} is published"
            raise UsageError(
                what,
                fix=f"`lakegate versions {contract.name}` tells as what; `lakegate rollback` takes the last ones out",
            )


def approve(
    session: Session, held: OpenDrop, *, reason: str, on_error: OnError | None = None
) -> Iterator[DropResult]:
    """Let a held drop pass the rules that held it, and carry it, with what waited for it. What else is broken still counts.

    Raises:
        UsageError: No reason was given.
    """
    if not held.approved:
        _decide(
            session,
            held,
            APPROVED,
            reason,
            {"rules": held.body["holding"], "suite_hash": held.body["suite_hash"]},
        )
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
    """Say of a drop that was held, refused or failed that nobody waits for it any more; then carry what waited for it.

    Its bytes stay in raw. Whatever changes, it is judged anew only where it is delivered `--force`.

    Raises:
        UsageError: No reason was given, it was decided on already or published, somebody carries it, or it is a feature's version.
    """
    if drop.contract.kind == "feature":
        what = f"a version of {drop.contract.name} can't be rejected: the ones after it are made from the same inputs"
        raise UsageError(what, fix="approve it, or change its SQL or the rule: it is then judged anew")
    if drop.approved:
        raise UsageError(
            f"{drop.cause[:12]} was approved already",
            fix="`lakegate approve` carries it where that was cut off",
        )
    if session.cache(DeliveryCache).elsewhere(drop.cause):
        raise UsageError(
            f"{drop.cause[:12]} is being carried at this moment",
            fix="`lakegate status` tells what becomes of it",
        )
    told = f"rejected by {current_user()}: {reason.strip()} ({_why_open(drop)}). `lakegate ingest --force` has it judged anew"
    _decide(session, drop, REJECTED, reason, drop.body | {"reason": told})
    yield from carry_waiting(
        session, None, tried={drop.cause}, on_error=on_error
    )  # nobody asked for others that failed


def _why_open(drop: OpenDrop) -> str:
    """What had become of it, in a few words; the record that says more stays."""
    body, state = drop.body, drop.record.state
    if state == "failed":
        return f"failed at {body.get('step') or 'an unknown step'}: {body.get('message', '')}"
    broken = [
        rule["rule"] for rule in body.get("rules", ()) if rule["severity"] == "block" and rule["failed"]
    ]
    return (
        f"held by {', '.join(body['holding'])}"
        if state == "held"
        else f"refused by {', '.join(broken) or 'the gate'}"
    )


def _decide(session: Session, held: OpenDrop, state: str, reason: str, body: dict[str, Any]) -> None:
    if not reason.strip():
        raise UsageError("a decision needs a reason", fix="add --reason, which is kept on record")
    made = {
        "decision": reason.strip(),
        "reason": reason.strip(),
        **body,
        "by": current_user(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    dataset, table = held.contract.name, held.record.table
    with (
        session.lease(slot(table, held.cause)),
        session.lease(table),
    ):  # whoever judges it, or publishes it, is done
        newest = records.latest(session, dataset=dataset, cause=held.cause, table=table)
        published = held.contract.kind == "dataset" and not is_pending(session, dataset, held.cause)
        if newest is None or newest.path != held.record.path or published:
            what = f"{held.cause[:12]} was decided on, or judged again, meanwhile"
            raise UsageError(what, fix="`lakegate status` lists what is open now")
        records.write(
            session,
            dataset=dataset,
            cause=held.cause,
            table=table,
            state=state,
            key=held.record.key,
            body=made,
        )
