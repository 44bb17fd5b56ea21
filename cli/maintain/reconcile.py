"""`lakegate reconcile`."""

from __future__ import annotations

from dataclasses import asdict

import click

from cli.options import lake_options, open_existing
from cli.terminal import show_json, show_table
from lakegate.settings import Settings


@click.command("reconcile")
@click.option("--dry-run", is_flag=True, help="Say what would be mended; mend nothing.")
@lake_options
def command(*, dry_run: bool, as_json: bool, settings: Settings) -> None:
    """Look for what attempts that died left behind; mend what is safe to mend, and list the rest.

    Nobody has to run it: the next attempt at anything finds what it needs. It tidies up what no attempt comes
    by any more. What it finds is `mended` (with --dry-run, `would mend`), with how; or `left`, with why, or
    what a person can do.
    """
    from lake.maintenance.reconcile import reconcile

    found = [asdict(item) for item in reconcile(open_existing(settings), dry_run=dry_run)]
    if as_json:
        show_json(found)
    else:
        show_table(found, ("what", "where", "outcome", "note"), empty="nothing was left behind")
