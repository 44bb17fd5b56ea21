"""`lakegate reject DROP`."""

from __future__ import annotations

import click

from cli._decision import decide
from cli.options import json_option, lake_options
from lakegate.settings import Settings


@click.command("reject")
@click.argument("drop")
@click.option("--reason", required=True, help="Why; kept on record with who and when.")
@json_option
@lake_options
def command(drop: str, *, reason: str, as_json: bool, settings: Settings) -> None:
    """Give DROP up (its SHA-256, or four digits of its beginning), which was held, refused or failed, and carry what waited for it.

    `lakegate status` lists it no more. Its bytes stay in raw and `lakegate ledger` tells who gave it up and why; delivered again it is
    refused for that reason, and judged anew with --force alone. Exit: 0, or 3 where a drop that waited is stopped.
    """
    from lake.decisions.approvals import find_rejectable, reject

    decide(find_rejectable, reject, drop, told="rejected", reason=reason, as_json=as_json, settings=settings)
