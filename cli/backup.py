"""`lakegate backup FOLDER`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import home_options, json_option
from cli.terminal import say, show_json
from lakegate.errors import UsageError
from lakegate.settings import Settings


@click.command("backup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@json_option
@home_options
def command(folder: Path, *, as_json: bool, settings: Settings) -> None:
    """Copy the home into FOLDER: all that was delivered, every version, and what Dagster knows.

    Work goes on meanwhile; lakeFS is down for the moment that its own small store takes. Into the folder of an earlier backup only what
    is new is copied. Prove it with `lakegate verify --all --home FOLDER`, which starts a lakeFS on it: `lakegate down --home FOLDER`
    ends that.
    """
    from lake.server.backup import backup
    from lake.server.lifecycle import ensure_server, server_status
    from lakegate.home import to_stderr

    if settings.lakefs is not None or settings.lakefs_namespace is not None:
        what = "what was delivered and every version lie in another store than the home"
        raise UsageError(
            what, fix="back up that store and its lakeFS; the home holds caches and what Dagster knows alone"
        )
    ran = server_status(settings.home).state != "stopped"
    try:
        done = backup(settings.home, folder)
    finally:
        if ran:
            ensure_server(settings, say=to_stderr)
    if as_json:
        show_json({"files": done.files, "bytes": done.size})
    else:
        say(f"{done.files:,} files, {done.size / 1e6:,.1f} MB copied")
