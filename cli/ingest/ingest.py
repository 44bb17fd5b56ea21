"""`lakegate ingest DATASET FILE...`: files of any kind that a contract can name."""

from __future__ import annotations

from pathlib import Path

import click

from cli.old_words import old_option
from cli.options import lake_options
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
    """Process each FILE as a drop of DATASET through all hops that follow.

    A file of the kind that the contract names, as it is or compressed (gzip, zip). Drops are published in the
    order that the contract asks for; a drop that waited for one of these is processed too, and the features
    follow. Exit: 0 published or unchanged, 3 where one of all these is blocked, held or waits, 4 where one is
    published and no row of it was taken (all are quarantined, or outdated).
    """
    from catalog.files import load_catalog
    from catalog.odcs.checked_before import remember
    from cli.hop_run import run_hops
    from cli.notify import tell_broken
    from lake.hops.receive import check_path
    from lake.pipeline.dry_run import dry_run as judge
    from lake.pipeline.ingest import ingest

    # A mistake in the call is found before a home is made and lakeFS started in it.
    catalog = load_catalog(settings.project, cache=settings.home.cache)
    catalog.get(dataset)
    for path in files:
        check_path(path)
    with run_hops(settings, quiet=as_json, dry_run=dry_run, ready=dry_run) as run:
        session, show = run.session, run.progress.drop
        session.catalog, session.backfill = catalog, backfill
        remember(settings.home.cache)  # before the home was made there was no cache to read from
        how = {"again": force, "supersede": supersede}
        if dry_run:
            run.results = judge(session, dataset, files, **how)
            for result in run.results:
                show(result)
        else:
            run.results = ingest(session, dataset, files, **how, tell=show, on_error=run.failures)
    if as_json:
        show_json([result.to_json() for result in run.results])
    tell_broken(catalog, settings.project)
    run.exit()
