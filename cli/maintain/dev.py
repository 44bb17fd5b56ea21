"""`lakegate dev`."""

from __future__ import annotations

import sys
from functools import partial

import click

from cli.options import contract_options
from cli.terminal import say
from lakegate.settings import Settings


@click.command("dev")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the UI; 3000, or another where that is in use."
)
@contract_options
def command(*, port: int | None, settings: Settings) -> None:
    """Open Dagster's UI on the lake, with sensors and the run queue, until it is interrupted.

    While it runs, a file put into <home>/landing/<dataset>/ goes through all hops by itself.
    """
    from assets.web.dev import dev_command, link
    from assets.web.dev_process import run_services
    from lake.session import open_session

    session = open_session(settings)
    for contract in session.catalog.datasets:
        (settings.home.landing / contract.name).mkdir(parents=True, exist_ok=True)
    argv, environment = dev_command(settings, port=port)
    say(f"Dagster's UI: {link(settings, argv)}   (Ctrl-C ends it)")
    say("The link holds a token, which this start alone takes; it is nobody's business but yours.")
    say(f"Put files into {settings.home.landing}/<dataset>/")
    sys.stdout.flush()
    code = run_services(argv, environment, folder=settings.project, say=partial(say, err=True))
    raise click.exceptions.Exit(code)
