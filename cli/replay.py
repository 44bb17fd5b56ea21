"""`lakegate replay DATASET`."""

from __future__ import annotations

import click

from cli.options import existing, json_option, lake_options, print_json
from lakegate.errors import LakegateError
from lakegate.settings import Settings


@click.command("replay")
@click.argument("dataset")
@click.option("--drop", help="Only rows of this drop (its SHA-256, or the beginning of it).")
@click.option("--rule", help="Only rows that this rule set aside.")
@click.option("--dry-run", is_flag=True, help="Judge the rows; publish nothing.")
@json_option
@lake_options
def command(dataset: str, *, drop: str | None, rule: str | None, dry_run: bool, as_json: bool, settings: Settings) -> None:
    """Run the rows of DATASET that are set aside through its contract and references as they are now.

    What passes becomes part of a new version of DATASET, and the features that read it follow; what still breaks a rule stays
    aside. Run it again, and nothing changes. Exit: 0, whether rows passed or not.
    """
    from cli.progress import Progress
    from cli.tell import tell_dagster
    from lake.ingest import DropResult, carry_followers, deliverable
    from lake.replay import replay
    from lake.session import open_session

    errors: list[LakegateError] = []

    def failed(name: str, error: LakegateError) -> None:
        errors.append(error)
        click.echo(f"error: {name}: {error}", err=True)

    with Progress(quiet=as_json) as progress:
        session = open_session(existing(settings), watcher=progress.step)
        found = replay(session, deliverable(session, dataset), drop=drop, rule=rule, dry_run=dry_run)
        if found.hop is not None:
            result = DropResult(dataset, found.hop.cause, (found.hop, *carry_followers(session, dataset, on_error=failed)), "replay")
            progress.drop(result)
            tell_dagster(session, [result])
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(_told(found.asked, found.passing, found.by_rule, dry_run=dry_run))
    if errors:
        raise click.exceptions.Exit(errors[0].exit_code)


def _told(asked: int, passing: int, by_rule: dict[str, int], *, dry_run: bool) -> str:
    if not asked:
        return "no row is set aside and open"
    still = ", ".join(f"{rule} {count:,}" for rule, count in by_rule.items())
    would = "would pass" if dry_run else "passed"
    return f"{asked:,} rows judged again: {passing:,} {would}, {asked - passing:,} stay aside{f' ({still})' if still else ''}"
