"""Dagster as a listener of hops: what a command carried is reported to Dagster's instance, last of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lake.hops.events import HopEvent
    from lake.hops.job import HopResult
    from lake.pipeline.ingest import DropResult
    from lake.session import Session


class DagsterListener:
    """Reports hops as finished runs (see `assets.report`); Dagster itself is imported when there is something to report."""

    name = "dagster"

    def hear(self, session: Session, events: Sequence[HopEvent]) -> None:
        """Report what became of drops, decisions and features; what Dagster knows is not reported again."""
        from assets.report import report

        report(session, _by_drop(events))


def _by_drop(events: Iterable[HopEvent]) -> list[DropResult]:
    """One result for each time that a drop was carried, in the order in which they were, with the newest answer of each hop."""
    from lake.pipeline.ingest import DropResult

    carried: list[tuple[str, str, dict[str, HopResult]]] = []
    latest: dict[tuple[str, str], dict[str, HopResult]] = {}
    for event in events:
        result, key = event.result, (event.dataset, event.result.cause)
        before = latest.get(key, {}).get(result.table)
        if key not in latest or (
            before is not None
            and None not in (before.version, result.version)
            and before.version != result.version
        ):
            latest[key] = {}
            carried.append((*key, latest[key]))
        latest[key][result.table] = result
    return [DropResult(dataset, cause, tuple(hops.values())) for dataset, cause, hops in carried]
