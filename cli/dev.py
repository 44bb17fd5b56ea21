"""`lakegate dev`."""

from __future__ import annotations

import os
import signal
import subprocess

import click

from cli.options import lake_options
from lakegate.settings import Settings


@click.command("dev")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the UI; 3000, or another where that is in use.")
@lake_options
def command(*, port: int | None, settings: Settings) -> None:
    """Open Dagster's UI on the lake, with sensors and the run queue, until it is interrupted.

    While it runs, a file put into <home>/landing/<dataset>/ is carried through all hops by itself.
    """
    from assets.dev import dev_command
    from lake.session import open_session

    session = open_session(settings)
    for contract in session.catalog.datasets:
        (settings.home.landing / contract.name).mkdir(parents=True, exist_ok=True)
    argv, environment = dev_command(settings, port=port)
    address = f"http://{argv[argv.index('--host') + 1]}:{argv[argv.index('--port') + 1]}"
    click.echo(f"Dagster's UI: {address}   (Ctrl-C ends it)")
    click.echo(f"Put files into {settings.home.landing}/<dataset>/")
    # A script's `&` leaves SIGINT ignored, which a child would inherit, and Dagster ends by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(argv, env=os.environ | environment, cwd=settings.project)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: process.send_signal(signal.SIGINT))
    try:
        code = process.wait()
    except KeyboardInterrupt:
        click.echo("stopping ...", err=True)
        code = process.wait()
    raise click.exceptions.Exit(code)
