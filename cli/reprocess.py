"""`lakegate reprocess DATASET`."""

from __future__ import annotations

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("reprocess")
@click.argument("dataset")
@click.option(
    "--from", "since", help="The first drop that is judged again (its SHA-256, or the beginning of it)."
)
@json_option
@lake_options
def command(dataset: str, *, since: str | None, as_json: bool, settings: Settings) -> None:
    """Rebuild DATASET from raw under its present contract, rules and references, as one new version.

    Every published drop is judged again, in order. Earlier versions stay as they are; the features that read DATASET follow.
    Exit: 3 where a feature's version was refused.
    """
    from cli.after_publish import follow
    from cli.notify import open_with_listeners
    from cli.progress import Progress
    from lake.decisions.reprocess import reprocess
    from lake.pipeline.call_checks import require_dataset

    with Progress(quiet=as_json) as progress:
        session = open_with_listeners(existing(settings), watcher=progress.step)
        hop = reprocess(session, require_dataset(session, dataset), since=since)
        if as_json:
            show_json(hop.to_json())
        else:
            counts = hop.counts
            say(
                f"{hop.version}: {counts['after']:,} rows, {counts['quarantined']:,} quarantined, of {counts['records_in']:,} records"
            )
        code = follow(session, dataset, hop, progress)
    raise click.exceptions.Exit(code)
