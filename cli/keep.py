"""`lakegate keep VERSION`."""

from __future__ import annotations

from datetime import datetime

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import say, show_json
from lakegate.names import VersionName
from lakegate.settings import Settings


@click.command("keep")
@click.argument("version")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it must be there.")
@click.option("--used-by", metavar="MODEL", help="Who uses it: it stays as long as that is on record.")
@click.option("--ended", is_flag=True, help="Take it back: it is kept for this no longer.")
@click.option("--reason", required=True, help="Why, kept on record.")
@json_option
@lake_options
def command(
    version: str, *, until: datetime | None, used_by: str | None, ended: bool, reason: str, as_json: bool, settings: Settings
) -> None:
    """Keep VERSION (for example flights@v12) whatever its contract's retention says."""
    from lake.maintenance.pins import keep_version
    from lake.session import open_session

    day = until.date() if until else None
    told = keep_version(
        open_session(existing(settings)), VersionName.parse(version), reason=reason, until=day, used_by=used_by, ended=ended
    )
    if as_json:
        show_json({**vars(told), "version": str(told.version)})
        return
    why = f"until {told.until}" if told.until else f"for {told.used_by}"
    say(f"{told.version} is {'no longer ' * ended}kept {why}")
