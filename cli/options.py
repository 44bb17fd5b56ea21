"""Options that verbs share, and the exit code that stands for several."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from cli.terminal import say
from lakegate.errors import Exit, LakegateError, UsageError
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.pipeline.ingest import DropResult

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")


def lake_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add --home, --project and --tenant, and hand the verb a `Settings` instead; say whose contracts it reads where that may surprise."""

    def told(settings: Settings) -> Settings:
        if settings.shipped:
            why = "this folder has no catalog/contracts/; --project names another, `lakegate init DIR` makes one"
            say(f"project {settings.project}, which ships with Lakegate ({why})", err=True)
        return settings

    return home_options(
        functools.wraps(function)(
            lambda *args, settings, **kwargs: function(*args, settings=told(settings), **kwargs)
        )
    )


def home_options(function: Callable[..., R]) -> Callable[..., R]:
    """The same for a verb that reads no contract."""

    @click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        help="Home folder (LAKEGATE_HOME, else .lakegate).",
    )
    @click.option(
        "--project",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder with catalog/contracts/ (LAKEGATE_PROJECT).",
    )
    @click.option("--tenant", help="Tenant (LAKEGATE_TENANT, else default).")
    @functools.wraps(function)
    def wrapped(*args: Any, home: Path | None, project: Path | None, tenant: str | None, **kwargs: Any) -> R:
        return function(*args, settings=Settings.load(home=home, project=project, tenant=tenant), **kwargs)

    return wrapped


def existing(settings: Settings) -> Settings:
    """The settings, where their home is there: a verb that only looks must not make an empty lake.

    Raises:
        UsageError: There is no home.
    """
    if settings.lakefs is None and not settings.home.format_file.exists():
        what = "there is no Lakegate home"
        raise UsageError(
            what,
            where=str(settings.home.root),
            fix="name it with --home or LAKEGATE_HOME, or run `lakegate ingest` to make one",
        )
    return settings


def worst_exit(codes: Iterable[int]) -> int:
    """The exit code that stands for several: 1 before 2, before 3, before 4, before 0."""
    found = set(codes)
    return next(
        code for code in (Exit.FAILED, Exit.USAGE, Exit.BLOCKED, Exit.NONE_TAKEN, Exit.OK) if code in found
    )


def exit_of(results: Iterable[DropResult], errors: Iterable[LakegateError] = ()) -> int:
    """The exit code of what became of drops: that of the worst error, then of what was stopped or waits, then of what took no row."""
    from expectations.verdict import STOPPED, Verdict

    carried = list(results)
    stopped = any(result.verdict in (*STOPPED, Verdict.WAITING) for result in carried)
    none = any(hop.none_taken for result in carried for hop in result.hops)
    codes = [error.exit_code for error in errors]
    return worst_exit([*codes, *[Exit.BLOCKED] * stopped, *[Exit.NONE_TAKEN] * none, Exit.OK])
