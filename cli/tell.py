"""Telling Dagster what a verb published: last of all, and never in the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tenacity

from cli.terminal import complain, say

if TYPE_CHECKING:
    from catalog.files import Catalog
    from lake.pipeline.ingest import DropResult
    from lake.session import Session
    from lakegate.errors import LakegateError


NAMED: Final = 20
"""Most files that one message lists."""


class Failures:
    """What stopped drops or tables on their way: told once where it is the same for several, with their files."""

    def __init__(self) -> None:
        self.errors: list[LakegateError] = []
        self._files: dict[tuple[str, str], tuple[LakegateError, list[str]]] = {}

    def __call__(self, name: str, error: LakegateError) -> None:
        """Note what stopped a dataset or one of its drops (an `OnError`)."""
        self.errors.append(error)
        _, files = self._files.setdefault((name, str(error)), (error, []))
        if error.file and error.file not in files:
            files.append(error.file)

    def tell(self) -> None:
        """Print each once."""
        for (name, _), (error, files) in self._files.items():
            more = f" and {len(files) - NAMED} more files" if len(files) > NAMED else ""
            complain(error, about=f"{name}: {', '.join(files[:NAMED])}{more}" if files else name)


TRIES: Final = 3
"""Two commands that tell Dagster of one dataset at a time may collide in its database; what it knows already is not told again."""


def tell_broken(catalog: Catalog, project: Path) -> None:
    """Name the contracts that nothing was carried for, and the suites that are no table's, whose rules nobody asked."""
    from expectations.building.suite_files import stray_suite_files

    for stem in catalog.broken:
        say(f"left out: {stem}, whose contract or SQL has a mistake; `lakegate status` tells it", err=True)
    for name, error in stray_suite_files(catalog.contracts.values(), project, unread=(*catalog.broken, *catalog.declared)).items():
        say(f"left out: the rules of {name}: {error}", err=True)


def tell_dagster(session: Session, results: Sequence[DropResult]) -> None:
    """Report to Dagster's instance; the lake has what matters, and the next ingest or demo tells what is missing."""
    from assets.report import report

    try:
        tenacity.Retrying(stop=tenacity.stop_after_attempt(TRIES), wait=tenacity.wait_random(0.1, 0.5), reraise=True)(
            report, session, results
        )
    except Exception as error:  # noqa: BLE001  (whatever Dagster's store says, the drops are published)
        say(f"warning: Dagster was not told ({type(error).__name__}); `lakegate dev` will miss this until it is carried again", err=True)
