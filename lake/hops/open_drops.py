"""Drops that were received and are not published, each with its newest record in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from lake import paths
from lake.hops.delivery_cache import DeliveryCache
from lake.lakefs.repository import MAIN
from lake.ledger import records
from lake.ledger.receipts import pending
from lake.ledger.refused_drops import STATES, refused_drops
from lake.session import Session

READERS: Final = 8
"""Requests to lakeFS at once: each is a wait."""


def datasets_with_open(session: Session) -> set[str]:
    """The datasets of which any drop is pending."""
    listed = session.repository.listing(MAIN, paths.PENDING)
    return {item.path.removeprefix(paths.PENDING).partition("/")[0] for item in listed}


def open_states(session: Session, dataset: str) -> dict[str, records.Record | None]:
    """The pending drops of a dataset, each with its newest record where it has one."""
    if not (digests := pending(session, dataset)):
        return {}
    refused = refused_drops(session, dataset)

    def newest(digest: str) -> records.Record | None:
        if digest in refused:
            return records.record_of(refused[digest].record)
        return records.latest(session, dataset=dataset, cause=digest)

    with ThreadPoolExecutor(READERS) as pool:
        return dict(zip(digests, pool.map(newest, digests), strict=True))


def under_way(session: Session, dataset: str) -> Iterator[tuple[str, records.Record | None]]:
    """The pending drops that were not refused, each with its newest record.

    A refused drop without a marker gets one (see `lake.ledger.refused_drops`).
    """
    digests = pending(session, dataset)
    refused = refused_drops(session, dataset) if digests else {}
    for digest in digests:
        if digest in refused:
            continue
        newest = records.latest(session, dataset=dataset, cause=digest)
        if newest is None or newest.state not in STATES:
            yield digest, newest
        elif not session.cache(DeliveryCache).elsewhere(digest):
            records.mark_refused(session, newest)
