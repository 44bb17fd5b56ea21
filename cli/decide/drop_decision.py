"""What `approve` and `reject` share: find the drop, decide, process the drops that waited for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cli.hop_run import run_hops
from cli.options import existing
from cli.terminal import say, show_json
from lake.decisions.approvals import OpenDrop
from lake.pipeline.ingest import DropResult
from lake.session import Session
from lakegate.settings import Settings


def decide(
    find: Callable[[Session, str], OpenDrop],
    decision: Callable[..., Iterator[DropResult]],
    drop: str,
    *,
    outcome: str,
    reason: str,
    as_json: bool,
    settings: Settings,
) -> None:
    """Decide on a drop, and show the results of that drop and of those that waited for it.

    Args:
        find: Gives the drop whose SHA-256 begins like `drop`.
        decision: `lake.decisions.approvals.approve` or `reject`.
        drop: The beginning of its SHA-256.
        outcome: The decision in a word, said where no drop was processed.
        reason: The person's.
        as_json: Print the results as JSON.
        settings: Where the lake is.

    Raises:
        UsageError: No such drop is called so, or no reason was given.
        Exit: With the worst exit code of what followed.
    """
    with run_hops(existing(settings), quiet=as_json) as run:
        found = find(run.session, drop)
        for result in decision(run.session, found, reason=reason, on_error=run.failures):
            run.add(result)
    if as_json:
        show_json([result.to_json() for result in run.results])
    elif not run.results:
        say(f"{found.contract.name}: {found.cause[:12]} {outcome}, on record")
    run.exit()
