"""`lakegate verify VERSION`."""

from __future__ import annotations

from dataclasses import asdict

import click

from cli.options import lake_options, open_existing
from cli.terminal import say, show_json
from lakegate.errors import Exit, UsageError
from lakegate.names import VersionName
from lakegate.settings import Settings


@click.command("verify")
@click.argument("version", required=False)
@click.option("--all", "everything", is_flag=True, help="Verify every version.")
@lake_options
def command(version: str | None, *, everything: bool, as_json: bool, settings: Settings) -> None:
    """Prove every file of VERSION (say flights@v6) by size and SHA-256; or name each gap.

    Its tag, commit and manifest are proved too.
    """
    from lake.maintenance.verify import audit, audit_all

    if (version is None) == (not everything):
        raise UsageError("name one version, or --all", fix="for example: lakegate verify flights@v6")
    name = VersionName.parse(version) if version else None
    session = open_existing(settings)
    found = audit_all(session) if name is None else {str(name): audit(session, name)}
    if as_json:
        listed = {checked: [asdict(gap) for gap in gaps] for checked, gaps in found.items()}
        show_json([{"name": checked, "ok": not gaps, "gaps": gaps} for checked, gaps in listed.items()])
    else:
        for checked, gaps in found.items():
            say(f"{checked}: {'every byte is there' if not gaps else f'{len(gaps)} gaps'}")
            for gap in gaps:
                say(f"  {gap}")
    raise click.exceptions.Exit(Exit.FAILED if any(found.values()) else Exit.OK)
