"""`lakegate status`."""

from __future__ import annotations

from dataclasses import asdict

import click

from cli.options import existing, lake_options
from cli.terminal import Coloured, say, show_json, show_table
from lakegate.settings import Settings


@click.command("status")
@lake_options
def command(*, as_json: bool, settings: Settings) -> None:
    """Tell how the lake is: the server, the contracts, the tables, and what is waiting. Starts nothing.

    `open quarantined` are quarantined rows that nobody decided on yet: `lakegate quarantine` lists them.
    `pending` are drops that were received and are neither published nor rejected, held ones among them; they
    are listed below, with their states and why. In red: deliveries of which no row was taken, until a
    decision on their rows.
    """
    from catalog.files import load_catalog
    from expectations.building.suite_files import stray_suite_files
    from lake.hops.gate.messages import all_of
    from lake.reports.status import at_a_glance
    from lake.runtime.circuit_breaker import open_breakers
    from lake.server.lifecycle import server_status
    from lake.session import open_session

    server = server_status(existing(settings).home)
    catalog = load_catalog(settings.project, cache=settings.home.cache)
    session = open_session(settings) if server.state == "running" or settings.lakefs else None
    tables, waiting = at_a_glance(session) if session else ([], [])
    breakers = open_breakers(settings)
    stray = stray_suite_files(
        catalog.contracts.values(), settings.project, unread=(*catalog.broken, *catalog.declared)
    )
    mistakes = catalog.broken | stray
    if as_json:
        show_json(
            {
                "home": str(settings.home.root),
                "project": str(settings.project),
                "lakefs": asdict(server),
                "tables": tables,
                "open": waiting,
                "waits": sorted(breakers),
                "broken": {name: str(error) for name, error in mistakes.items()},
            }
        )
        return
    say(f"home    {settings.home.root}")
    say(f"project {settings.project}")
    say(f"lakeFS  {server.state}" + (f" at {server.url} (process {server.pid})" if server.url else ""))
    if tables:
        show_table(tables, ("table", "versions", "rows", "open_quarantined", "pending", "held"), empty="")
    for item in tables:
        for none in item["none_taken"]:
            name, drop, rows = item["table"], none["drop"][:12], all_of(none["rows"], "quarantined")
            what = f"no row was taken of drop {drop} ({name}@v{none['version']}), {rows}"
            say(Coloured(f"{what}: `lakegate quarantine {name}` lists them", "red"))
    for source, state in breakers.items():
        failed = f"{state.recent.count('f')} of the last {len(state.recent)} attempts"
        say(f"waits   {source}: {failed} met a transient failure")
    if waiting:
        say()
        say("not published yet:")
        shown = [{**item, "drop": item["drop"][:12]} for item in waiting]
        show_table(shown, ("table", "drop", "file", "state", "reason"), empty="")
    for name in mistakes:
        say(f"broken: {name}: ", mistakes[name])
