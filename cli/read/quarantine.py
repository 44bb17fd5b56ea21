"""`lakegate quarantine DATASET`."""

from __future__ import annotations

import click

from cli.options import lake_options, open_existing
from cli.terminal import show_json, show_table
from lakegate.errors import UsageError
from lakegate.settings import Settings


@click.command("quarantine")
@click.argument("dataset")
@click.option("--reveal", is_flag=True, help="Show personal fields; the look is put on record.")
@click.option("--limit", type=click.IntRange(min=1), help="Show at most so many rows.")
@lake_options
def command(dataset: str, *, reveal: bool, limit: int | None, as_json: bool, settings: Settings) -> None:
    """List the quarantined rows of DATASET: drop, file, record number, the rules they break, the record."""
    from lake.reports.versions import list_quarantine

    session = open_existing(settings)
    contract = session.catalog.get(dataset)
    if contract.kind != "dataset":
        what = f"{dataset} is a feature table, it quarantines no row"
        raise UsageError(what, fix=f"ask for one of its inputs: {', '.join(contract.inputs)}")
    rows = list_quarantine(session, contract, reveal=reveal)[:limit]
    if as_json:
        show_json(rows)
    else:
        columns = ("drop", "file", "row", "rules", "record")
        shown = [row | {"drop": row["drop"][:12]} for row in rows]
        show_table(shown, columns, empty=f"no row of {dataset} is quarantined")
