"""`lakegate versions TABLE`."""

from __future__ import annotations

import click

from cli.options import lake_options, open_existing
from cli.terminal import show_json, show_table
from lakegate.settings import Settings

COLUMNS = (
    "name",
    "published_at",
    "made_by",
    "state",
    "rows_valid",
    "rows_quarantined",
    "rows_unreadable",
    "rows_total",
    "content_hash",
)


@click.command("versions")
@click.argument("table")
@lake_options
def command(table: str, *, as_json: bool, settings: Settings) -> None:
    """List the published versions of TABLE, oldest first.

    A dataset `flights` has the tables `flights_raw` and `flights`; a feature table has its own name. Row
    counts are the drop's, `rows total` and `content hash` the table's. A version was made by a drop, by the
    inputs of a feature table, or by a rollback, reprocess, replay or discard. One that is `expired` can't be
    opened any more: a clean-up may have freed its files. Read one with
    `lakegate.open_snapshot("flights@v6").arrow()`.
    """
    from lake.reports.versions import list_versions
    from lake.versions.origin import Origin

    found = list_versions(open_existing(settings), table)
    if as_json:
        show_json(found)
        return
    rows = []
    for item in found:
        state = "expired" if item["expired"] else ""
        rows.append(item | {"made_by": Origin(item["made_by"], item["made_from"]), "state": state})
    columns = [name for name in COLUMNS if name != "state" or any(row["state"] for row in rows)]
    show_table(rows, columns, empty=f"{table} has no version yet")
