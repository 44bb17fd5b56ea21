"""What a person had published (a rollback, reprocess, replay or discard) and what follows it: features, and Dagster is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.notify import Failures, tell_broken, tell_listeners
from cli.options import exit_of
from lakegate.names import VersionName

if TYPE_CHECKING:
    from cli.progress import Progress
    from lake.hops.job import HopResult
    from lake.session import Session


def follow(session: Session, table: str, hop: HopResult, progress: Progress) -> int:
    """Make every missing version of the features that read a table, whose own new version a hop published, and tell what was made.

    Returns:
        The exit code: that of the worst error, blocked where the hop or a feature's version was, else 0.
    """
    from lake.hops.published import published_version
    from lake.pipeline.downstream import carry_followers
    from lake.pipeline.ingest import DropResult
    from lake.versions.origin import Origin

    failed = Failures()
    followed = tuple(carry_followers(session, table, on_error=failed))
    failed.tell()
    made = (
        str(Origin.of(published_version(session, VersionName.parse(hop.version)).manifest.source))
        if hop.version
        else table
    )
    result = DropResult(table, hop.cause, (hop, *followed), made)
    progress.drop(result)
    tell_listeners(session)
    tell_broken(session.catalog, session.settings.project)
    return exit_of([result], failed.errors)
