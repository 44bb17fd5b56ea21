"""What `lakegate approve` and `lakegate reject` share: find the drop, decide, carry what follows, tell Dagster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import click

from cli.options import existing, exit_of
from cli.terminal import say, show_json
from lakegate.errors import LakegateError
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.decisions.approvals import OpenDrop
    from lake.pipeline.ingest import DropResult
    from lake.session import Session


class Decision(Protocol):
    """`lake.decisions.approvals.approve` or `reject`."""

    def __call__(
        self,
        session: Session,
        drop: OpenDrop,
        /,
        *,
        reason: str,
        on_error: Callable[[str, LakegateError], None] | None = None,
    ) -> Iterator[DropResult]:
        """Decide, and carry what follows."""


def decide(
    find: Callable[[Session, str], OpenDrop],
    decision: Decision,
    drop: str,
    *,
    told: str,
    reason: str,
    as_json: bool,
    settings: Settings,
) -> None:
    """Decide on a drop that `find` knows and show what became of it and of those that waited; `told` names the decision.

    Raises:
        UsageError: No such drop is called so, or no reason was given.
        Exit: With the worst exit code of what followed.
    """
    from cli.notify import Failures, open_with_listeners, tell_listeners
    from cli.progress import Progress

    failed, results = Failures(), []
    with Progress(quiet=as_json) as progress:
        session = open_with_listeners(existing(settings), watcher=progress.step)
        found = find(session, drop)
        try:
            for result in decision(session, found, reason=reason, on_error=failed):
                results.append(result)
                progress.drop(result)
        finally:
            failed.tell()
            tell_listeners(session)
    if as_json:
        show_json([result.to_json() for result in results])
    elif not results:
        say(f"{found.contract.name}: {found.cause[:12]} {told}, on record")
    raise click.exceptions.Exit(exit_of(results, failed.errors))
