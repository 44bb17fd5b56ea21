"""`lakegate data-docs [VERSION...]`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import contract_options, open_existing
from cli.terminal import say
from lakegate.settings import Settings


@click.command("data-docs")
@click.argument("versions", nargs=-1, metavar="[VERSION]...")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the pages; HOME/docs by default.",
)
@contract_options
def command(versions: tuple[str, ...], *, into: Path | None, settings: Settings) -> None:
    """Write Great Expectations' Data Docs of VERSIONs such as flights@v3, or of the newest of each table.

    The pages are made from the evidence that was published with the versions; no rule is run again. A folder
    whose index.html something else wrote is refused.
    """
    from lake.reports.data_docs import write_docs
    from lakegate.names import VersionName

    names = [VersionName.parse(version) for version in versions]
    session = open_existing(settings)
    say(str(write_docs(session, names, into or settings.home.root / "docs")))
