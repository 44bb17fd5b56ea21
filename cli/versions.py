"""`lakegate versions TABLE`."""

from __future__ import annotations

import click

from cli.options import existing, json_option, lake_options, print_json, print_table
from lakegate.settings import Settings

COLUMNS = ("name", "published_at", "rows_valid", "rows_quarantined", "rows_unreadable", "rows_total", "content_hash")


@click.command("versions")
@click.argument("table")
@json_option
@lake_options
def command(table: str, *, as_json: bool, settings: Settings) -> None:
    """List the published versions of TABLE, oldest first.

    A dataset `flights` has the tables `flights_raw` and `flights`; a feature table has its own name. Row counts are the
    drop's, `rows total` and `content hash` the table's. Read one with `lakegate.open_snapshot("flights@v6").arrow()`.
    """
    from lake.session import open_session
    from lake.versions import list_versions

    found = list_versions(open_session(existing(settings)), table)
    if as_json:
        print_json(found)
    else:
        print_table(found, COLUMNS, empty=f"{table} has no version yet")
