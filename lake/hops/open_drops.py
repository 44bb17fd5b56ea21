"""Drops that were received and are not published: what the ledger says of each, asked of all at once."""

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
"""Questions to lakeFS at once: each is a wait."""


def datasets_with_open(session: Session) -> set[str]:
    """The datasets of which any drop is pending."""
    return {
        item.path.removeprefix(paths.PENDING).partition("/")[0]
        for item in session.repository.listing(MAIN, paths.PENDING)
    }


def open_states(session: Session, dataset: str) -> dict[str, records.Record | None]:
    """The pending drops of a dataset, each with its newest record where it has one."""
    if not (digests := pending(session, dataset)):
        return {}
    refused = refused_drops(session, dataset)
    found: dict[str, records.Record | None] = {
        digest: records.record_of(refused[digest].record) if digest in refused else None for digest in digests
    }
    others = [digest for digest in digests if digest not in refused]
    with ThreadPoolExecutor(READERS) as pool:
        return found | dict(
            zip(
                others,
                pool.map(lambda digest: records.latest(session, dataset=dataset, cause=digest), others),
                strict=True,
            )
        )


def under_way(session: Session, dataset: str) -> Iterator[tuple[str, records.Record | None]]:
    """The pending drops that somebody waits for, each with its newest record; those that were refused are marked where they weren't."""
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
