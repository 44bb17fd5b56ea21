"""`lakegate down`."""

from __future__ import annotations

import click

from cli.options import home_options
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("down")
@home_options
def command(*, as_json: bool, settings: Settings) -> None:
    """Stop the embedded lakeFS. Snapshots can still be read; the home can be copied or moved."""
    from lake.server.lifecycle import stop_server

    stopped = stop_server(settings.home)
    if as_json:
        show_json({"stopped": stopped})
    else:
        say("lakeFS is stopped" if stopped else "lakeFS was not running")
