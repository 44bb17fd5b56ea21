"""`lakegate unpin VERSION`."""

from __future__ import annotations

from datetime import datetime

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import say, show_json
from lakegate.names import VersionName
from lakegate.settings import Settings


@click.command("unpin")
@click.argument("version")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="It was pinned until a day, such as this one."
)
@click.option("--used-by", metavar="MODEL", help="It was pinned for this model.")
@click.option("--reason", required=True, help="Why, kept on record.")
@json_option
@lake_options
def command(
    version: str,
    *,
    until: datetime | None,
    used_by: str | None,
    reason: str,
    as_json: bool,
    settings: Settings,
) -> None:
    """Take back what `lakegate pin` put on record of VERSION: until a day, or for a model."""
    from lake.maintenance.pins import unpin_version
    from lake.session import open_session

    day = until.date() if until else None
    pin = unpin_version(
        open_session(existing(settings)),
        VersionName.parse(version),
        reason=reason,
        until=day,
        used_by=used_by,
    )
    if as_json:
        show_json({**vars(pin), "version": str(pin.version)})
        return
    say(f"{pin.version} is no longer pinned {pin.why}")
