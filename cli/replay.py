"""`lakegate replay DATASET`."""

from __future__ import annotations

import click

from cli.options import existing, json_option, lake_options
from cli.terminal import say, show_json
from lakegate.settings import Settings


@click.command("replay")
@click.argument("dataset")
@click.option("--drop", help="Only rows of this drop (its SHA-256, or the beginning of it).")
@click.option("--rule", help="Only rows that this rule quarantined.")
@click.option("--dry-run", is_flag=True, help="Judge the rows; publish nothing.")
@json_option
@lake_options
def command(
    dataset: str, *, drop: str | None, rule: str | None, dry_run: bool, as_json: bool, settings: Settings
) -> None:
    """Run the quarantined rows of DATASET through its contract and references as they are now.

    What passes becomes part of a new version of DATASET, and the features that read it follow; what still breaks a rule stays
    quarantined. Run it again, and nothing changes. Exit: 0, whether rows passed or not; 3 where the replay, or a feature's version, was refused.
    """
    from cli.after_publish import follow
    from cli.notify import open_with_listeners
    from cli.progress import Progress
    from lake.decisions.replay import replay
    from lake.pipeline.call_checks import require_dataset

    code = 0
    with Progress(quiet=as_json) as progress:
        session = open_with_listeners(existing(settings), watcher=progress.step)
        found = replay(session, require_dataset(session, dataset), drop=drop, rule=rule, dry_run=dry_run)
        if as_json:
            show_json(found.to_json())
        else:
            say(_told(found.requested, found.passing, found.by_rule, dry_run=dry_run))
        if found.hop is not None:
            code = follow(session, dataset, found.hop, progress)
    raise click.exceptions.Exit(code)


def _told(asked: int, passing: int, by_rule: dict[str, int], *, dry_run: bool) -> str:
    if not asked:
        return "no quarantined row is open"
    still = ", ".join(f"{rule} {count:,}" for rule, count in by_rule.items())
    would = "would pass" if dry_run else "passed"
    rows, stay = "row" if asked == 1 else "rows", "stays" if asked - passing == 1 else "stay"
    return f"{asked:,} {rows} judged again: {passing:,} {would}, {asked - passing:,} {stay} quarantined{f' ({still})' if still else ''}"
