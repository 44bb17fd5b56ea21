"""`lakegate restore FOLDER`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.maintain.backup import show_copied
from cli.options import home_options
from lakegate.settings import Settings


@click.command("restore")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@home_options
def command(folder: Path, *, as_json: bool, settings: Settings) -> None:
    """Put the backup in FOLDER where the home is to be: --home, or LAKEGATE_HOME.

    The home must not be there yet.
    """
    from lake.server.backup import restore

    show_copied(restore(settings.home, folder), as_json=as_json)
