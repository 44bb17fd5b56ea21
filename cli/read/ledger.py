"""`lakegate ledger [DATASET]`."""

from __future__ import annotations

from datetime import datetime

import click

from cli.options import lake_options, open_existing
from cli.terminal import say, show_json, show_table
from lakegate.settings import Settings


@click.command("ledger")
@click.argument("dataset", required=False)
@click.option(
    "--last",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="How many of those that changed last.",
)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@lake_options
def command(dataset: str | None, *, last: int, everything: bool, as_json: bool, settings: Settings) -> None:
    """Tell where every drop is at every hop: its state, its attempts, and why it goes no further.

    Of DATASET, or of everything. A drop is received, waiting, blocked, held, approved, failed, published,
    withdrawn (by a rollback), superseded (another file took its place) or rejected (by a person). A rollback,
    reprocess, replay or discard is listed by its name, a feature table's version by the first digits of its
    inputs' hash. Each record of an attempt is retained; `lakegate trace --run R` shows those of a run.
    """
    from lake.reports.ledger_view import entries

    found = entries(open_existing(settings), dataset, newest=None if everything else last)
    if as_json:
        show_json([item.to_json() for item in found])
        return
    rows = [
        {
            "changed": datetime.strptime(item.at, "%Y%m%dT%H%M%S.%f%z").strftime("%Y-%m-%d %H:%M:%S"),
            "drop": item.named,
            "table": item.table,
            "state": item.state,
            "version": f"v{item.version}" if item.version else "",
            "attempts": f"{item.attempts}, {item.failures} failed" if item.failures else str(item.attempts),
            "seconds": "" if item.seconds is None else f"{item.seconds:.1f}",
            "run": item.run[:8],
            "why": f"at {item.step}: {item.reason}" if item.step else item.reason,
        }
        for item in found
    ]
    show_table(rows, empty="nothing was received yet")
    if not everything and len(found) == last:
        say(f"the {last} that changed last; --all shows all", err=True)
