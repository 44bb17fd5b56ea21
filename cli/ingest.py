"""`lakegate ingest DATASET FILE...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import json_option, lake_options, print_json
from lakegate.errors import Exit, LakegateError
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.ingest import DropResult
    from lake.session import Session

WORST_FIRST = (Exit.FAILED, Exit.USAGE, Exit.BLOCKED, Exit.OK)
"""Which exit code stands for several."""


@click.command("ingest")
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Judge the files; take in, write and publish nothing.")
@click.option("--again", is_flag=True, help="Judge again although a verdict under the same rules is on record.")
@json_option
@lake_options
def command(dataset: str, files: tuple[Path, ...], *, dry_run: bool, again: bool, as_json: bool, settings: Settings) -> None:
    """Carry each FILE as a drop of DATASET through all hops that follow.

    CSV, also gzipped or zipped. Drops are published in the order that the contract asks for; a drop that waited for one of
    these is carried too. Exit: 0 published or unchanged, 3 blocked, held or waiting.
    """
    from cli.progress import Progress
    from expectations.verdict import Verdict
    from lake.ingest import ingest
    from lake.rehearse import rehearse
    from lake.session import open_session

    errors: list[LakegateError] = []

    def failed(name: str, error: LakegateError) -> None:
        errors.append(error)
        click.echo(f"error: {name}: {error}", err=True)

    with Progress(quiet=as_json) as progress:
        session = open_session(settings, watcher=progress.step)
        if dry_run:
            results = rehearse(session, dataset, files)
            for result in results:
                progress.drop(result)
        else:
            results = ingest(session, dataset, files, again=again, tell=progress.drop, on_error=failed)
    if as_json:
        print_json([result.to_json() for result in results])
    if not dry_run:
        _tell_dagster(session, results)
    stopped = any(result.verdict in (Verdict.BLOCKED, Verdict.HELD, Verdict.WAITING) for result in results)
    codes = {error.exit_code for error in errors} | {Exit.BLOCKED if stopped else Exit.OK}
    raise click.exceptions.Exit(next(code for code in WORST_FIRST if code in codes))


def _tell_dagster(session: Session, results: list[DropResult]) -> None:
    """Last of all, and never in the way: the lake has what matters, and the next ingest or demo tells what is missing."""
    from assets.report import report

    try:
        report(session, results)
    except Exception as error:  # noqa: BLE001  (whatever Dagster's store says, the drops are published)
        click.echo(
            f"warning: Dagster was not told ({type(error).__name__}); `lakegate dev` will miss this until it is carried again", err=True
        )
