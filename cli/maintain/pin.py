"""`lakegate pin VERSION`, and what `lakegate unpin` shares with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from cli.options import lake_options, open_existing
from cli.terminal import say, show_json
from lakegate.names import VersionName
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.maintenance.pins import Pin


@click.command("pin")
@click.argument("version")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it must be there.")
@click.option("--used-by", metavar="MODEL", help="Who uses it: it stays until `lakegate unpin` ends that.")
@click.option("--reason", required=True, help="Why, put on record.")
@lake_options
def command(version: str, **given: Any) -> None:
    """Keep VERSION (for example flights@v12) whatever its contract says, until a day or for a model."""
    from lake.maintenance.pins import pin_version

    record_pin(pin_version, version, "is pinned", **given)


def record_pin(
    change: Callable[..., Pin],
    version: str,
    outcome: str,
    *,
    until: datetime | None,
    used_by: str | None,
    reason: str,
    as_json: bool,
    settings: Settings,
) -> None:
    """Put a pin on record, or its end, and print the pin.

    Args:
        change: `lake.maintenance.pins.pin_version` or `unpin_version`.
        version: The version's name.
        outcome: What holds for the version now, in words.
        until: The day of the pin, unless it is a model's.
        used_by: The model, unless it is a day's.
        reason: The person's.
        as_json: Print the pin as JSON.
        settings: Where the lake is.
    """
    day, name = until.date() if until else None, VersionName.parse(version)
    pin = change(open_existing(settings), name, reason=reason, until=day, used_by=used_by)
    if as_json:
        show_json({**vars(pin), "version": str(pin.version)})
    else:
        say(f"{pin.version} {outcome} {pin.why}")
