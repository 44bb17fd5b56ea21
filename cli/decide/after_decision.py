"""What follows a version that a decision published: the features that read its table."""

from __future__ import annotations

from cli.hop_run import HopRun
from cli.notify import tell_broken
from lake.hops.job import HopResult
from lake.hops.published import published_version
from lake.pipeline.downstream import carry_followers
from lake.pipeline.ingest import DropResult
from lake.versions.origin import Origin
from lakegate.names import VersionName


def follow(run: HopRun, table: str, hop: HopResult) -> None:
    """Make every missing version of the features that read a table; print them behind the decision's hop."""
    followed = tuple(carry_followers(run.session, table, on_error=run.failures))
    made_by = table
    if hop.version:
        manifest = published_version(run.session, VersionName.parse(hop.version)).manifest
        made_by = str(Origin.of(manifest.source))
    run.add(DropResult(table, hop.cause, (hop, *followed), made_by))
    tell_broken(run.session.catalog, run.session.settings.project)
