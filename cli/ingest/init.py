"""`lakegate init DIR`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import json_option
from cli.terminal import say, show_json


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@json_option
def command(folder: Path, *, as_json: bool) -> None:
    """Write a lake of your own into DIR: folders for contracts, suites and SQL.

    A dataset there is one contract, no Python.
    """
    from catalog.project import init_project

    written = init_project(folder)
    if as_json:
        show_json([str(path) for path in written])
        return
    for path in written:
        say(f"wrote {path}")
    say()
    say(f"Next: write a contract in {folder}/catalog/contracts/, then run `lakegate ingest` inside {folder}.")
