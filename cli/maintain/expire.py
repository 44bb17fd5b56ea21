"""`lakegate expire`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from cli.options import lake_options, open_existing
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("expire")
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@click.option(
    "--grace-hours",
    type=click.IntRange(1),
    default=24,
    show_default=True,
    help="Younger files stay, whatever names them.",
)
@lake_options
def command(*, dry_run: bool, grace_hours: int, as_json: bool, settings: Settings) -> None:
    """End the versions that their contracts keep no longer, on record, and free what only they needed.

    A contract says by customProperties.retention which versions it keeps; one that says nothing keeps all of
    them. The latest version of each table, what was delivered, and whatever a retained version was made from
    always stay. The output says why each version stays, and when the files go that stay for the grace time
    alone.
    """
    from cli.notify import tell_broken
    from lake.maintenance.retention import clean_up
    from lake.maintenance.retention_policy import by_reason

    session = open_existing(settings)
    done = clean_up(session, dry_run=dry_run, grace=timedelta(hours=grace_hours))
    tell_broken(session.catalog, settings.project)
    if as_json:
        show_json(asdict(done) | {"dry_run": dry_run})
        return
    expired, freed = ("would expire", "would be freed") if dry_run else ("expired", "freed")
    say(f"{expired}: {', '.join(done.expired) or 'nothing'}")
    if session.repository.blocks:
        say(f"{done.blocks:,} files, {done.freed / 1e6:,.1f} MB {freed}")
    else:
        say("files: the garbage collection of this lakeFS frees them")
    if done.later_blocks:
        more = f"{done.later_blocks:,} files, {done.later_freed / 1e6:,.1f} MB more"
        stay = f"files stay for {grace_hours} hours, and so do those of a version after it was the latest"
        say(f"{more} go with a clean-up after {done.later_at}: nothing needs them, but {stay}")
    groups = list(by_reason(done.kept))
    widths = [max((len(group[at]) for group in groups), default=0) for at in (0, 1)]
    for number, (table, versions, why) in enumerate(groups):
        say(f"{'stay: ' if not number else '      '}{table:<{widths[0]}}  {versions:<{widths[1]}}  {why}")
