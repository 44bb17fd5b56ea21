"""`lakegate reject DROP`."""

from __future__ import annotations

import click

from cli.options import lake_options
from lakegate.settings import Settings


@click.command("reject")
@click.argument("drop")
@click.option("--reason", required=True, help="Why; put on record with who and when.")
@lake_options
def command(drop: str, *, reason: str, as_json: bool, settings: Settings) -> None:
    """Give up DROP (its SHA-256, or four digits of its beginning), which was held, refused or failed.

    Drops that waited for it are processed. `lakegate status` lists it no more. Its bytes stay in raw and
    `lakegate ledger` tells who gave it up and why; delivered again it is refused for that reason, and judged
    anew with --force alone. Exit: 0, or 3 where a drop that waited is stopped.
    """
    from cli.decide.drop_decision import decide
    from lake.decisions.approvals import find_rejectable, reject

    decide(
        find_rejectable, reject, drop, outcome="rejected", reason=reason, as_json=as_json, settings=settings
    )
