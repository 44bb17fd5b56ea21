"""`lakegate trace --run R`."""

from __future__ import annotations

from typing import Any

import click

from cli.options import lake_options, open_existing
from cli.terminal import show_json, show_table
from lakegate.settings import Settings


@click.command("trace")
@click.option(
    "--run",
    required=True,
    help="The run's id, as `lakegate ledger` and Dagster show it, or its first digits.",
)
@lake_options
def command(run: str, *, as_json: bool, settings: Settings) -> None:
    """Show what one run put on record: each attempt, verdict, wait and failure, with its steps' seconds."""
    from lake.reports.ledger_view import trace

    found = trace(open_existing(settings), run)
    if as_json:
        show_json(found)
    else:
        show_table(map(_row, found), empty="")


def _row(record: dict[str, Any]) -> dict[str, str]:
    at = f"at {record['step']}:" if record.get("step") else None
    what = (record.get("kind"), at, record.get("message") or record.get("reason"))
    steps = record.get("durations", {}).items()
    return {
        "at": record["at"],
        "drop": record["cause"][:12],
        "table": record["table"],
        "state": record["state"],
        "steps": ", ".join(f"{step} {seconds:.2f} s" for step, seconds in steps),
        "what": " ".join(filter(None, what)),
    }
