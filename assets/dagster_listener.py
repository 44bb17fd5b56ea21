"""Dagster as a listener of hops: the hops of a command are reported to Dagster's instance, last of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lake.hops.events import HopEvent
    from lake.hops.job import HopResult
    from lake.pipeline.ingest import DropResult
    from lake.session import Session


class DagsterListener:
    """Reports hops as finished runs (see `assets.report`); Dagster is imported when there is one."""

    name = "dagster"

    def hear(self, session: Session, events: Sequence[HopEvent]) -> None:
        """Report what became of drops, decisions and features; what Dagster knows is not reported again."""
        from assets.report import report

        report(session, _by_drop(events))


def _by_drop(events: Iterable[HopEvent]) -> list[DropResult]:
    """One result for each time that a drop was processed, in their order, with the newest result of each hop.

    A second version of the same table tells that the drop was processed again.
    """
    from lake.pipeline.ingest import DropResult

    rounds: list[tuple[str, str, dict[str, HopResult]]] = []
    latest: dict[tuple[str, str], dict[str, HopResult]] = {}
    for event in events:
        result, key = event.result, (event.dataset, event.result.cause)
        before = latest.get(key, {}).get(result.table)
        versions = {before.version, result.version} - {None} if before is not None else set()
        if key not in latest or len(versions) > 1:
            latest[key] = {}
            rounds.append((*key, latest[key]))
        latest[key][result.table] = result
    return [DropResult(dataset, cause, tuple(hops.values())) for dataset, cause, hops in rounds]
