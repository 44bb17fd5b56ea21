"""Receipts: what was delivered, when, and the position of its source; and which deliveries are pending."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import Any, Final

from lake import paths
from lake.lakefs.branches import RECEIVE, branch_of, new_attempt
from lake.lakefs.errors import BlockGone
from lake.lakefs.repository import MAIN
from lake.session import Session
from lakegate.errors import Conflict, UsageError

CLOCKS: Final = 300
"""Seconds that lakeFS's clock and that of whoever wrote a receipt may differ."""


@dataclass(frozen=True)
class Drop:
    """A content, identified by tenant, dataset and SHA-256 of the bytes; name and times are a delivery's."""

    tenant: str
    dataset: str
    sha256: str
    name: str
    size: int
    delivered_at: str
    """When its latest delivery was received."""
    extracted_at: str = ""
    """When the delivered file was last written, which is the best that a file tells of its extraction."""
    receipt: str = ""
    """Path of that delivery's receipt; empty of one that a dry run looks at."""
    supersedes: bool = False
    """Whether it was delivered to take the place of the published drop of its name."""


@dataclass(frozen=True)
class Advance:
    """A source's position before a delivery and after it (see `lake.sources`)."""

    source: str
    before: str
    after: str


class Overtaken(Conflict):
    """Another process has received what this one is about to."""


def drop_of(session: Session, dataset: str, digest: str, body: dict[str, Any], *, receipt: str) -> Drop:
    """The drop of a receipt: its `body`, and its path, which is empty for a dry run."""
    return Drop(
        session.settings.tenant,
        dataset,
        digest,
        name=str(body["name"]),
        size=int(body["size"]),
        delivered_at=str(body["received_at"]),
        extracted_at=str(body["modified_at"]),
        receipt=receipt,
        supersedes=bool(body.get("supersedes")),
    )


def received(session: Session, dataset: str, digest: str) -> Drop:
    """A drop that was received before, with the name and time of its latest delivery.

    Raises:
        UsageError: It never was.
    """
    listed = [item.path for item in session.repository.listing(MAIN, paths.receipts(dataset, digest))]
    bodies = {path: session.repository.get_json(MAIN, path) for path in listed}
    found = {path: body for path, body in bodies.items() if body is not None}
    if not found:
        what = f"drop {digest[:12]} of {dataset} was never received"
        raise UsageError(what, fix="`lakegate ingest` receives a file")
    receipt = max(found, key=lambda path: str(found[path]["received_at"]))
    return drop_of(session, dataset, digest, found[receipt], receipt=receipt)


def last_position(session: Session, source: str, *, ref: str = MAIN) -> str:
    """The position in a source's newest receipt; empty before the first, and for a source without name.

    A pointer names that receipt. If the pointer's bytes are lost, all receipts are searched. If it was
    deleted, the source begins anew: what it gives again is known by its receipts.
    """
    if not source:
        return ""
    try:
        newest = session.repository.get_json(ref, paths.position(source))
        receipt = newest and session.repository.get_json(ref, str(newest["receipt"]))
    except BlockGone:
        return _search_position(session, source, ref)
    return str(receipt["position"]) if receipt else ""


def _search_position(session: Session, source: str, ref: str) -> str:
    """The position in a source's newest receipt, found by reading receipts, the last written first."""
    listed = [item for item in session.repository.listing(ref, "raw/") if "/receipts/" in item.path]
    position, received_at, written = "", "", 0
    for item in sorted(listed, key=lambda item: item.mtime, reverse=True):
        if item.mtime < written - CLOCKS:
            break
        with contextlib.suppress(BlockGone):
            body = session.repository.get_json(ref, item.path) or {}
            if body.get("source") == source and str(body["received_at"]) > received_at:
                position, received_at = str(body["position"]), str(body["received_at"])
                written = written or item.mtime
    return position


def advance_source(session: Session, branch: str, advance: Advance, receipt: str) -> None:
    """Make a receipt its source's newest on a branch that nobody else writes.

    Args:
        session: The open lake.
        branch: Of the attempt to receive a delivery.
        advance: The source's position before and after it.
        receipt: Path of the delivery's receipt.

    Raises:
        Overtaken: The source's position is no longer the one where the delivery begins.
    """
    position = last_position(session, advance.source, ref=branch)
    if not position and advance.before:  # its pointer is gone
        position = _search_position(session, advance.source, branch)
    if position != advance.before:
        what = f"{advance.source} is not where this delivery begins: another process was first"
        raise Overtaken(what, fix="nothing was taken in; the next look goes on from where that one is")
    newest = {"format": paths.FORMAT, "receipt": receipt}
    session.repository.put(branch, paths.position(advance.source), json.dumps(newest).encode())


def pending(session: Session, dataset: str) -> list[str]:
    """SHA-256 of the drops of a dataset that were received and are not published."""
    return [
        item.path.rpartition("/")[2].removesuffix(".json")
        for item in session.repository.listing(MAIN, paths.pending(dataset))
    ]


def is_pending(session: Session, dataset: str, digest: str) -> bool:
    """Whether a drop has a delivery that no publish has used up yet."""
    return session.repository.get(MAIN, paths.pending(dataset, digest)) is not None


def clear_pending(session: Session, dataset: str, digest: str) -> None:
    """Delete the pending marker of a delivery that changes nothing: its content is the table's latest."""
    repository, message = session.repository, f"clear pending {dataset} {digest[:12]}"
    with session.lease(f"receive_{dataset}"):
        if not is_pending(session, dataset, digest):
            return
        branch = branch_of(RECEIVE, new_attempt(), dataset, digest)
        repository.branch(branch, MAIN)
        try:
            repository.delete(branch, paths.pending(dataset, digest))
            repository.commit(branch, message, {"lakegate_drop": digest})
            repository.merge(branch, message, {"lakegate_drop": digest})
        finally:
            repository.delete_branch(branch)
