"""`lakegate backup FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import home_options
from cli.terminal import say, show_json
from lakegate.errors import UsageError
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.server.home_copy import Copied


@click.command("backup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@home_options
def command(folder: Path, *, as_json: bool, settings: Settings) -> None:
    """Copy the home into FOLDER: all that was delivered, every version, and what Dagster knows.

    Work goes on meanwhile; lakeFS is down for the moment that its own small store takes. Into the folder of
    an earlier backup only what is new is copied. Prove it with `lakegate verify --all --home FOLDER`, which
    starts a lakeFS on it: `lakegate down --home FOLDER` ends that.
    """
    from lake.server.backup import backup
    from lake.server.lifecycle import ensure_server, server_status
    from lakegate.home import to_stderr

    if settings.lakefs is not None or settings.lakefs_namespace is not None:
        what = "what was delivered and every version lie in another store than the home"
        fix = "back up that store and its lakeFS; the home holds caches and what Dagster knows alone"
        raise UsageError(what, fix=fix)
    ran = server_status(settings.home).state != "stopped"
    try:
        done = backup(settings.home, folder)
    finally:
        if ran:
            ensure_server(settings, say=to_stderr)
    show_copied(done, as_json=as_json)


def show_copied(done: Copied, *, as_json: bool) -> None:
    """Print how much a backup, or its restore, copied."""
    if as_json:
        show_json({"files": done.files, "bytes": done.size})
    else:
        say(f"{done.files:,} files, {done.size / 1e6:,.1f} MB copied")
