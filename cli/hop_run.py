"""A verb that runs hops: it prints each hop and failure, tells the listeners, exits with the worst code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

import click

from cli import notify
from cli.options import exit_of
from cli.progress import Progress
from lake.pipeline.ingest import DropResult
from lake.session import Session
from lakegate.settings import Settings


@dataclass
class HopRun:
    """The open lake of one call, and what came of the call's drops."""

    session: Session
    progress: Progress
    failures: notify.Failures = field(default_factory=notify.Failures)
    results: list[DropResult] = field(default_factory=list)

    def add(self, result: DropResult) -> None:
        """Note and print the result of a drop."""
        self.results.append(result)
        self.progress.drop(result)

    def exit(self) -> NoReturn:
        """End the verb with the exit code of all its results and failures."""
        raise click.exceptions.Exit(exit_of(self.results, self.failures.errors))


@contextlib.contextmanager
def run_hops(
    settings: Settings, *, quiet: bool, dry_run: bool = False, ready: bool = True
) -> Iterator[HopRun]:
    """Open the lake for hops; in the end, however it comes, print the failures and tell the listeners.

    Args:
        settings: Where the lake is.
        quiet: Print only what was not published: stdout gets JSON.
        dry_run: Nothing is published, so listeners hear of nothing.
        ready: Ready the repository now; otherwise its first use does.
    """
    with Progress(quiet=quiet) as progress:
        run = HopRun(notify.open_with_listeners(settings, watcher=progress.step, ready=ready), progress)
        try:
            yield run
        finally:
            run.failures.tell()
            if not dry_run:
                notify.tell_listeners(run.session)
