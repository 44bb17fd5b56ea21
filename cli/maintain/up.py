"""`lakegate up`."""

from __future__ import annotations

import click

from cli.options import lake_options
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("up")
@lake_options
def command(*, as_json: bool, settings: Settings) -> None:
    """Start the embedded lakeFS (it stays until `lakegate down`) and mend the home's caches from the lake."""
    from lake.ledger import records
    from lake.maintenance.manifest_copies import rebuild_manifests
    from lake.session import open_session

    session = open_session(settings)
    copied, unspooled = rebuild_manifests(session), records.unspool(session)
    url = session.endpoint.url
    if as_json:
        show_json({"url": url, "manifests_copied": copied, "records_carried": unspooled})
    else:
        say(f"lakeFS is up at {url}")
        if copied:
            say(f"{copied} copies of manifests rebuilt")
