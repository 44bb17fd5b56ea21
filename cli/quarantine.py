"""`lakegate quarantine DATASET`."""

from __future__ import annotations

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import show_json, show_table
from lakegate.errors import UsageError
from lakegate.settings import Settings


@click.command("quarantine")
@click.argument("dataset")
@click.option("--reveal", is_flag=True, help="Show personal fields; the look is put on record.")
@click.option("--limit", type=click.IntRange(min=1), help="Show at most so many rows.")
@json_option
@lake_options
def command(dataset: str, *, reveal: bool, limit: int | None, as_json: bool, settings: Settings) -> None:
    """List the quarantined rows of DATASET: drop, file, record number, the rules they break, the original record."""
    from lake.reports.versions import list_quarantine
    from lake.session import open_session

    session = open_session(existing(settings))
    contract = session.catalog.get(dataset)
    if contract.kind != "dataset":
        what = f"{dataset} is a feature table, it quarantines no row"
        raise UsageError(what, fix=f"ask for one of its inputs: {', '.join(contract.inputs)}")
    rows = list_quarantine(session, contract, reveal=reveal)[:limit]
    if as_json:
        show_json(rows)
    else:
        shown = [row | {"drop": row["drop"][:12]} for row in rows]
        show_table(
            shown, ("drop", "file", "row", "rules", "record"), empty=f"no row of {dataset} is quarantined"
        )
