"""Options that verbs share, and the exit code of several results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.terminal import say
from lakegate.errors import Exit, LakegateError, UsageError
from lakegate.settings import Settings

if TYPE_CHECKING:
    from lake.pipeline.ingest import DropResult
    from lake.session import Session

R = TypeVar("R")

WORST_FIRST = (Exit.FAILED, Exit.USAGE, Exit.BLOCKED, Exit.NONE_TAKEN, Exit.OK)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")


def lake_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add --json, --home, --project and --tenant to a verb that reads contracts; see `contract_options`."""
    return json_option(contract_options(function))


def home_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add the same options to a verb that reads no contract."""
    return json_option(_place_options(function))


def contract_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add --home, --project and --tenant; hand the verb `Settings`; say so where it takes shipped ones."""

    @functools.wraps(function)
    def wrapped(*args: Any, settings: Settings, **kwargs: Any) -> R:
        if settings.shipped:
            why = "this folder has no catalog/contracts/"
            fix = "--project names another, `lakegate init DIR` makes one"
            say(f"project {settings.project}, which ships with Lakegate ({why}; {fix})", err=True)
        return function(*args, settings=settings, **kwargs)

    return _place_options(wrapped)


def _place_options(function: Callable[..., R]) -> Callable[..., R]:
    folder = click.Path(path_type=Path, file_okay=False)

    @click.option("--home", type=folder, help="Home folder (LAKEGATE_HOME, else .lakegate).")
    @click.option("--project", type=folder, help="Folder with catalog/contracts/ (LAKEGATE_PROJECT).")
    @click.option("--tenant", help="Tenant (LAKEGATE_TENANT, else default).")
    @functools.wraps(function)
    def wrapped(*args: Any, home: Path | None, project: Path | None, tenant: str | None, **kwargs: Any) -> R:
        return function(*args, settings=Settings.load(home=home, project=project, tenant=tenant), **kwargs)

    return wrapped


def existing(settings: Settings) -> Settings:
    """The settings, where their home exists: a verb that only looks must not make an empty lake.

    Raises:
        UsageError: There is no home.
    """
    if settings.lakefs is None and not settings.home.format_file.exists():
        fix = "name it with --home or LAKEGATE_HOME, or run `lakegate ingest` to make one"
        raise UsageError("there is no Lakegate home", where=str(settings.home.root), fix=fix)
    return settings


def open_existing(settings: Settings) -> Session:
    """Open the lake of a home that exists.

    Raises:
        UsageError: There is no home.
    """
    from lake.session import open_session

    return open_session(existing(settings))


def exit_of(results: Iterable[DropResult], errors: Iterable[LakegateError] = ()) -> int:
    """The worst exit code of errors, of drops that were stopped or wait, and of drops without a row taken."""
    from expectations.verdict import STOPPED, Verdict

    codes: set[int] = {Exit.OK, *(error.exit_code for error in errors)}
    for result in results:
        if result.verdict in (*STOPPED, Verdict.WAITING):
            codes.add(Exit.BLOCKED)
        if any(hop.none_taken for hop in result.hops):
            codes.add(Exit.NONE_TAKEN)
    return next(code for code in WORST_FIRST if code in codes)
