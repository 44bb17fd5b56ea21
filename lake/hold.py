"""A drop that the gate held: a person lets it pass, or refuses it, with a reason, on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from catalog.contract import Contract
from lake import ledger
from lake.answers import APPROVED
from lake.ingest import DropResult, OnError, carry, carry_features_from, carry_waiting
from lake.receive import pending, received, who
from lake.session import Session
from lakegate.errors import UsageError

SHORTEST: Final = 4
"""Digits that a drop is named by, at least."""


@dataclass(frozen=True)
class HeldDrop:
    """What waits for a person: the cause (a drop, or the parents of a feature's next version), and the verdict on record."""

    contract: Contract
    cause: str
    record: ledger.Record
    body: dict[str, Any]

    @property
    def approved(self) -> bool:
        """Whether a person let it pass already, and whoever carried it died before it was published."""
        return self.record.state == APPROVED


def held_drops(session: Session) -> list[HeldDrop]:
    """Everything that is held, table by table, and what was approved and is not published yet."""
    return [
        HeldDrop(contract, cause, newest, ledger.read(session, newest))
        for contract in session.catalog.contracts.values()
        for cause in _open_causes(session, contract)
        if (newest := ledger.latest(session, dataset=contract.name, cause=cause)) is not None and newest.state in ("held", APPROVED)
    ]


def find_held(session: Session, name: str) -> HeldDrop:
    """The held drop whose SHA-256 begins so; `dataset:` before it says which, where two datasets hold the same bytes.

    Raises:
        UsageError: None does, or more than one.
    """
    dataset, _, digits = name.rpartition(":")
    everything = held_drops(session)
    found = [
        item
        for item in everything
        if len(digits) >= SHORTEST and item.cause.startswith(digits.lower()) and dataset in ("", item.contract.name)
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{item.contract.name}:{item.cause[:12]}" for item in everything) or "nothing"
    what = f"{len(found)} held drops begin with {name!r}" if found else f"no held drop begins with {name!r}"
    raise UsageError(what, fix=f"held is {known}")


def approve(session: Session, held: HeldDrop, *, reason: str, on_error: OnError | None = None) -> Iterator[DropResult]:
    """Let a held drop pass the rules that held it, and carry it, with what waited for it. What else is broken still counts.

    Raises:
        UsageError: No reason was given.
    """
    if not held.approved:
        _decide(session, held, APPROVED, reason, {"rules": held.body["holding"], "suite_hash": held.body["suite_hash"]})
    if held.contract.kind == "feature":
        hops = tuple(carry_features_from(session, held.contract, on_error=on_error))
        yield DropResult(held.contract.name, held.cause, hops, "approved")
        return
    drop = received(session, held.contract.name, held.cause)
    yield from carry(session, held.contract, [drop], on_error=on_error)
    yield from carry_waiting(session, held.contract.name, tried={held.cause}, on_error=on_error)


def reject(session: Session, held: HeldDrop, *, reason: str, on_error: OnError | None = None) -> Iterator[DropResult]:
    """Refuse a held drop as if a blocking rule had; then carry what waited for it. Its bytes stay in raw.

    Raises:
        UsageError: No reason was given, it was decided on already, or it is a feature's version.
    """
    if held.contract.kind == "feature":
        what = f"a version of {held.contract.name} can't be rejected: the ones after it are made from the same inputs"
        raise UsageError(what, fix="approve it, or change its SQL or the rule: it is then judged anew")
    if held.approved:
        raise UsageError(f"{held.cause[:12]} was approved already", fix="`lakegate approve` carries it where that was cut off")
    told = f"rejected by {who()}: {reason.strip()} (held by {', '.join(held.body['holding'])})"
    _decide(session, held, "blocked", reason, held.body | {"reason": told})
    yield from carry_waiting(session, held.contract.name, tried={held.cause}, on_error=on_error)


def _decide(session: Session, held: HeldDrop, state: str, reason: str, body: dict[str, Any]) -> None:
    if not reason.strip():
        raise UsageError("a decision needs a reason", fix="add --reason, which is kept on record")
    made = {
        "decision": reason.strip(),
        "reason": reason.strip(),
        **body,
        "by": who(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    dataset, table = held.contract.name, held.record.table
    with session.queue(table):
        newest = ledger.latest(session, dataset=dataset, cause=held.cause, table=table)
        if newest is None or newest.path != held.record.path:
            what = f"{held.cause[:12]} was decided on, or judged again, meanwhile"
            raise UsageError(what, fix="`lakegate status` counts what is held now")
        ledger.write(session, dataset=dataset, cause=held.cause, table=table, state=state, key=held.record.key, body=made)


def _open_causes(session: Session, contract: Contract) -> list[str]:
    """What may be held: the pending drops of a dataset, and the newest cause that a feature table was tried for."""
    if contract.kind == "dataset":
        return pending(session, contract.name)
    newest = ledger.newest(session, contract.name)
    return [newest.cause] if newest is not None else []
