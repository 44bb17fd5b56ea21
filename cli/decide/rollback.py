"""`lakegate rollback TABLE --to vN`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import existing, lake_options
from cli.terminal import say, show_json
from lakegate.errors import UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.decisions.rollback import RolledBack


@click.command("rollback")
@click.argument("table")
@click.option("--to", required=True, help="The version whose state is to be published again, for example v6.")
@click.option("--reason", required=True, help="Why; stored in the new version's manifest.")
@lake_options
def command(table: str, *, to: str, reason: str, as_json: bool, settings: Settings) -> None:
    """Publish the state of an earlier version of TABLE as its next version.

    No version changes, and none is removed. The drops that came since are withdrawn: they are still in raw,
    and may be ingested again. The quarantine is that of the version, too: rows that were discarded since are
    open again. The features that read TABLE follow. Exit: 3 where a feature's version was
    refused.
    """
    from cli.decide.after_decision import follow
    from cli.hop_run import run_hops
    from lake.decisions.rollback import roll_back

    name = VersionName.parse(to if "@" in to else f"{table}@{to}")
    if name.table != table:
        fix = f"name a version of {table}; `lakegate versions {table}` lists them"
        raise UsageError(f"{name} is no version of {table}", fix=fix)
    with run_hops(existing(settings), quiet=as_json) as run:
        done = roll_back(run.session, name, reason=reason)
        if as_json:
            found = {
                item: getattr(done, item) for item in ("withdrawn", "reinstated", "built_on", "not_discarded")
            }
            show_json({"version": done.hop.version, **found})
        else:
            _print(done, name)
        follow(run, table, done.hop)
    run.exit()


def _print(done: RolledBack, name: VersionName) -> None:
    say(f"{done.hop.version} is the state of {name} again")
    if done.withdrawn:
        again = "`lakegate ingest` takes them again, a corrected file with --supersede"
        say(f"withdrawn: {', '.join(drop[:12] for drop in done.withdrawn)}; {again}")
    if done.reinstated:
        say(f"published again: {', '.join(drop[:12] for drop in done.reinstated)}")
    if done.not_discarded:
        rows = "1 row is" if done.not_discarded == 1 else f"{done.not_discarded:,} rows are"
        say(f"{rows} discarded no longer: that was decided after {name}, whose quarantine this is")
    if done.built_on:
        say(f"made from what was taken out, and still there: {', '.join(done.built_on)}")
