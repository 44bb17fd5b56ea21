"""`lakegate trace --run R`."""

from __future__ import annotations

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import show_json, show_table
from lakegate.settings import Settings


@click.command("trace")
@click.option(
    "--run",
    required=True,
    help="The run's id, as `lakegate ledger` and Dagster show it, or its first digits.",
)
@json_option
@lake_options
def command(run: str, *, as_json: bool, settings: Settings) -> None:
    """Show what one run put on record: each attempt, verdict, wait and failure, with how long its steps took."""
    from lake.reports.ledger_view import trace
    from lake.session import open_session

    found = trace(open_session(existing(settings)), run)
    if as_json:
        show_json(found)
        return
    rows = [
        {
            "at": item["at"],
            "drop": item["cause"][:12],
            "table": item["table"],
            "state": item["state"],
            "steps": ", ".join(
                f"{step} {seconds:.2f} s" for step, seconds in item.get("durations", {}).items()
            ),
            "what": " ".join(
                filter(
                    None,
                    [
                        item.get("kind"),
                        item.get("step") and f"at {item['step']}:",
                        item.get("message") or item.get("reason"),
                    ],
                )
            ),
        }
        for item in found
    ]
    show_table(rows, ("at", "drop", "table", "state", "steps", "what"), empty="")
