"""`lakegate restore FOLDER`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import home_options, json_option
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("restore")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
@home_options
def command(folder: Path, *, as_json: bool, settings: Settings) -> None:
    """Put the backup in FOLDER where the home is to be: --home, or LAKEGATE_HOME. The home must not be there yet."""
    from lake.server.backup import restore

    done = restore(settings.home, folder)
    if as_json:
        show_json({"files": done.files, "bytes": done.size})
    else:
        say(f"{done.files:,} files, {done.size / 1e6:,.1f} MB copied")
