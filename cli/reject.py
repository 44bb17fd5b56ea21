"""`lakegate reject DROP`."""

from __future__ import annotations

import click

from cli.decide import decide
from cli.options import json_option, lake_options
from lakegate.settings import Settings


@click.command("reject")
@click.argument("drop")
@click.option("--reason", required=True, help="Why; kept on record with who and when.")
@json_option
@lake_options
def command(drop: str, *, reason: str, as_json: bool, settings: Settings) -> None:
    """Refuse DROP (its SHA-256, or the beginning of it), which the gate held, and carry what waited for it.

    Its bytes stay in raw; `lakegate ingest --again` has it judged anew. Exit: 0, or 3 where a drop that waited is stopped.
    """
    from lake.hold import reject

    decide(reject, drop, reason=reason, as_json=as_json, settings=settings)
