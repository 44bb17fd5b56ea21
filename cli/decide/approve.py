"""`lakegate approve DROP`."""

from __future__ import annotations

import click

from cli.options import lake_options
from lakegate.settings import Settings


@click.command("approve")
@click.argument("drop")
@click.option("--reason", required=True, help="Why; put on record with who and when.")
@lake_options
def command(drop: str, *, reason: str, as_json: bool, settings: Settings) -> None:
    """Let DROP (its SHA-256, or the beginning of it) pass the rules that held it, and process it.

    Drops that waited for it are processed, too. Other rules still count: a drop that breaks one that blocks
    stays blocked. Exit: 0 published, 3 blocked, held or waiting.
    """
    from cli.decide.drop_decision import decide
    from lake.decisions.approvals import approve, find_held

    decide(find_held, approve, drop, outcome="approved", reason=reason, as_json=as_json, settings=settings)
