"""`lakegate reprocess DATASET`."""

from __future__ import annotations

import click

from cli.options import existing, lake_options
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("reprocess")
@click.argument("dataset")
@click.option(
    "--from", "since", help="The first drop that is judged again (its SHA-256, or the beginning of it)."
)
@lake_options
def command(dataset: str, *, since: str | None, as_json: bool, settings: Settings) -> None:
    """Rebuild DATASET from raw under its present contract, rules and references, as one new version.

    Every published drop is judged again, in order. Earlier versions stay as they are; the features that read
    DATASET follow. Exit: 3 where a feature's version was refused.
    """
    from cli.decide.after_decision import follow
    from cli.hop_run import run_hops
    from lake.decisions.reprocess import reprocess
    from lake.pipeline.call_checks import require_dataset

    with run_hops(existing(settings), quiet=as_json) as run:
        hop = reprocess(run.session, require_dataset(run.session, dataset), since=since)
        if as_json:
            show_json(hop.to_json())
        else:
            rows, quarantined, records = (hop.counts[name] for name in ("after", "quarantined", "records_in"))
            say(f"{hop.version}: {rows:,} rows, {quarantined:,} quarantined, of {records:,} records")
        follow(run, dataset, hop)
    run.exit()
