"""`lakegate rollback TABLE --to vN`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import say, show_json
from lakegate.errors import UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.decisions.rollback import RolledBack


@click.command("rollback")
@click.argument("table")
@click.option("--to", required=True, help="The version whose state is to be published again, for example v6.")
@click.option("--reason", required=True, help="Why; kept in the new version's manifest.")
@json_option
@lake_options
def command(table: str, *, to: str, reason: str, as_json: bool, settings: Settings) -> None:
    """Publish the state of an earlier version of TABLE as its next version. No version changes, and none is removed.

    The drops that came since are withdrawn: they are still in raw, and may be ingested again. The features that read TABLE follow.
    Exit: 3 where a feature's version was refused.
    """
    from cli.after_publish import follow
    from cli.notify import open_with_listeners
    from cli.progress import Progress
    from lake.decisions.rollback import roll_back

    with Progress(quiet=as_json) as progress:
        session = open_with_listeners(existing(settings), watcher=progress.step)
        name = VersionName.parse(to if "@" in to else f"{table}@{to}")
        if name.table != table:
            raise UsageError(
                f"{name} is no version of {table}",
                fix=f"name a version of {table}; `lakegate versions {table}` lists them",
            )
        done = roll_back(session, name, reason=reason)
        _tell(done, name, as_json=as_json)
        code = follow(session, name.table, done.hop, progress)
    raise click.exceptions.Exit(code)


def _tell(done: RolledBack, name: VersionName, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "version": done.hop.version,
                "withdrawn": done.withdrawn,
                "reinstated": done.reinstated,
                "built_on": done.built_on,
            }
        )
        return
    say(f"{done.hop.version} is the state of {name} again")
    if done.withdrawn:
        say(
            f"withdrawn: {', '.join(drop[:12] for drop in done.withdrawn)}; `lakegate ingest` takes them again, a corrected file with --supersede"
        )
    if done.reinstated:
        say(f"published again: {', '.join(drop[:12] for drop in done.reinstated)}")
    if done.built_on:
        say(f"made from what was taken out, and still there: {', '.join(done.built_on)}")
