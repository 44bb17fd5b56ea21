"""`lakegate pin VERSION`."""

from __future__ import annotations

from datetime import datetime

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import say, show_json
from lakegate.names import VersionName
from lakegate.settings import Settings


@click.command("pin")
@click.argument("version")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it must be there.")
@click.option("--used-by", metavar="MODEL", help="Who uses it: it stays until `lakegate unpin` ends that.")
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
    """Keep VERSION (for example flights@v12) whatever its contract says, until a day or for a model."""
    from lake.maintenance.pins import pin_version
    from lake.session import open_session

    day = until.date() if until else None
    pin = pin_version(
        open_session(existing(settings)),
        VersionName.parse(version),
        reason=reason,
        until=day,
        used_by=used_by,
    )
    if as_json:
        show_json({**vars(pin), "version": str(pin.version)})
        return
    say(f"{pin.version} is pinned {pin.why}")
