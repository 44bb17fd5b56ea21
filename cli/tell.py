"""Telling Dagster what a verb published: last of all, and never in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lake.ingest import DropResult
    from lake.session import Session


def tell_dagster(session: Session, results: Sequence[DropResult]) -> None:
    """Report to Dagster's instance; the lake has what matters, and the next ingest or demo tells what is missing."""
    from assets.report import report

    try:
        report(session, results)
    except Exception as error:  # noqa: BLE001  (whatever Dagster's store says, the drops are published)
        click.echo(
            f"warning: Dagster was not told ({type(error).__name__}); `lakegate dev` will miss this until it is carried again", err=True
        )
