"""`lakegate ingest DATASET FILE...`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.old_words import old_option
from cli.options import exit_of, json_option, lake_options
from cli.terminal import show_json
from lakegate.settings import Settings


@click.command("ingest")
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Judge the files; take in, write and publish nothing.")
@click.option(
    "--force",
    is_flag=True,
    help="Judge again although a verdict is on record; on a replace table, deliver an older content anew.",
)
@old_option("--again", "--force")
@click.option(
    "--supersede",
    is_flag=True,
    help="Each file takes the place of the published drop of its name, in one version (append tables).",
)
@click.option("--backfill", is_flag=True, help="Let whatever else comes in meanwhile go first.")
@json_option
@lake_options
def command(
    dataset: str,
    files: tuple[Path, ...],
    *,
    dry_run: bool,
    force: bool,
    supersede: bool,
    backfill: bool,
    as_json: bool,
    settings: Settings,
) -> None:
    """Carry each FILE as a drop of DATASET through all hops that follow.

    CSV, also gzipped or zipped. Drops are published in the order that the contract asks for; a drop that waited for one of
    these is carried too, and the features follow. Exit: 0 published or unchanged, 3 where one of all these is blocked, held or waits,
    4 where one is published and no row of it was taken (all are quarantined, or outdated).
    """
    from catalog.files import load_catalog
    from catalog.odcs.checked_before import remember
    from cli.notify import Failures, open_with_listeners, tell_broken, tell_listeners
    from cli.progress import Progress
    from lake.hops.receive import check_path
    from lake.pipeline.dry_run import dry_run as judge
    from lake.pipeline.ingest import ingest

    failed = Failures()
    # A slip in the call is told before a home is made and lakeFS started in it.
    catalog = load_catalog(settings.project, cache=settings.home.cache)
    catalog.get(dataset)
    for path in files:
        check_path(path)
    with Progress(quiet=as_json) as progress:
        session = open_with_listeners(settings, watcher=progress.step, ready=dry_run)
        session.catalog = catalog
        remember(settings.home.cache)  # which there was none to read from before the home was made
        session.backfill = backfill
        if dry_run:
            results = judge(session, dataset, files, again=force, supersede=supersede)
            for result in results:
                progress.drop(result)
        else:
            try:
                results = ingest(
                    session,
                    dataset,
                    files,
                    again=force,
                    supersede=supersede,
                    tell=progress.drop,
                    on_error=failed,
                )
            finally:
                failed.tell()
                tell_listeners(session)
    if as_json:
        show_json([result.to_json() for result in results])
    tell_broken(catalog, settings.project)
    raise click.exceptions.Exit(exit_of(results, failed.errors))
