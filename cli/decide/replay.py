"""`lakegate replay DATASET`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import existing, lake_options
from cli.terminal import say, show_json
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.hops.job import Replayed


@click.command("replay")
@click.argument("dataset")
@click.option("--drop", help="Only rows of this drop (its SHA-256, or the beginning of it).")
@click.option("--rule", help="Only rows that this rule quarantined.")
@click.option("--dry-run", is_flag=True, help="Judge the rows; publish nothing.")
@lake_options
def command(
    dataset: str, *, drop: str | None, rule: str | None, dry_run: bool, as_json: bool, settings: Settings
) -> None:
    """Run the quarantined rows of DATASET through its contract and references as they are now.

    What passes becomes part of a new version of DATASET, and the features that read it follow; what still
    breaks a rule stays quarantined. Run it again, and nothing changes. Exit: 0, whether rows passed or not; 3
    where the replay, or a feature's version, was refused.
    """
    from cli.decide.after_decision import follow
    from cli.hop_run import run_hops
    from lake.decisions.replay import replay
    from lake.pipeline.call_checks import require_dataset

    with run_hops(existing(settings), quiet=as_json, dry_run=dry_run) as run:
        contract = require_dataset(run.session, dataset)
        found = replay(run.session, contract, drop=drop, rule=rule, dry_run=dry_run)
        if as_json:
            show_json(found.to_json())
        else:
            say(_in_words(found, dry_run=dry_run))
        if found.hop is not None:
            follow(run, dataset, found.hop)
    run.exit()


def _in_words(found: Replayed, *, dry_run: bool) -> str:
    if not (count := found.requested):
        return "no quarantined row is open"
    still = count - found.passing
    rows = "row" if count == 1 else "rows"
    passed = "would pass" if dry_run else "passed"
    stay = "stays" if still == 1 else "stay"
    words = f"{count:,} {rows} judged again: {found.passing:,} {passed}, {still:,} {stay} quarantined"
    by_rule = ", ".join(f"{rule} {count:,}" for rule, count in found.by_rule.items())
    return f"{words} ({by_rule})" if by_rule else words
