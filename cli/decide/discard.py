"""`lakegate discard DATASET`."""

from __future__ import annotations

import click

from cli.options import existing, lake_options
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("discard")
@click.argument("dataset")
@click.option("--drop", help="Rows of this drop (its SHA-256, or the beginning of it).")
@click.option("--rule", help="Rows that this rule quarantined.")
@click.option("--row", type=click.IntRange(min=1), help="One record of --drop, by its number.")
@click.option("--reason", required=True, help="Why; stored with the rows and in the version's manifest.")
@lake_options
def command(
    dataset: str,
    *,
    drop: str | None,
    rule: str | None,
    row: int | None,
    reason: str,
    as_json: bool,
    settings: Settings,
) -> None:
    """Decide that quarantined rows of DATASET never come back.

    They stay in the quarantine with their record, and no replay asks for them again, unless DATASET is rolled
    back to a version before. A new version of DATASET says so; its data is the same, and the features that
    read it follow.
    """
    from cli.decide.after_decision import follow
    from cli.hop_run import run_hops
    from lake.decisions.discard import discard
    from lake.pipeline.call_checks import require_dataset

    with run_hops(existing(settings), quiet=as_json) as run:
        contract = require_dataset(run.session, dataset)
        count, hop = discard(run.session, contract, reason=reason, drop=drop, rule=rule, row=row)
        version = hop.version if hop else None
        if as_json:
            show_json({"dataset": dataset, "rows": count, "version": version})
        else:
            say(f"{count:,} rows discarded{f', on record in {version}' if version else ''}")
        if hop is not None:
            follow(run, dataset, hop)
    run.exit()
