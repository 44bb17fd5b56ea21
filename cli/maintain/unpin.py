"""`lakegate unpin VERSION`."""

from __future__ import annotations

from typing import Any

import click

from cli.maintain.pin import record_pin
from cli.options import lake_options


@click.command("unpin")
@click.argument("version")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="It was pinned until a day, such as this one."
)
@click.option("--used-by", metavar="MODEL", help="It was pinned for this model.")
@click.option("--reason", required=True, help="Why, put on record.")
@lake_options
def command(version: str, **given: Any) -> None:
    """Take back what `lakegate pin` put on record of VERSION: until a day, or for a model."""
    from lake.maintenance.pins import unpin_version

    record_pin(unpin_version, version, "is no longer pinned", **given)
