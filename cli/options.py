"""Options that verbs share, and how results are printed."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from lakegate.errors import Exit, UsageError
from lakegate.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")


def lake_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add --home, --project and --tenant, and hand the verb a `Settings` instead; say whose contracts it reads where that may surprise."""

    def told(settings: Settings) -> Settings:
        if settings.shipped:
            why = "this folder has no catalog/contracts/; --project names another, `lakegate init DIR` makes one"
            click.echo(f"project {settings.project}, which ships with Lakegate ({why})", err=True)
        return settings

    return home_options(functools.wraps(function)(lambda *args, settings, **kwargs: function(*args, settings=told(settings), **kwargs)))


def home_options(function: Callable[..., R]) -> Callable[..., R]:
    """The same for a verb that reads no contract."""

    @click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Home folder (LAKEGATE_HOME, else .lakegate).")
    @click.option("--project", type=click.Path(path_type=Path, file_okay=False), help="Folder with catalog/contracts/ (LAKEGATE_PROJECT).")
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
            what, where=str(settings.home.root), fix="name it with --home or LAKEGATE_HOME, or run `lakegate ingest` to make one"
        )
    return settings


def print_json(value: Any) -> None:
    """Print one JSON value on stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)
    sys.stdout.write("\n")


def print_table(rows: Iterable[dict[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """Print rows for a person, numbers with thousands separators; `empty` where there are none."""
    from rich.console import Console
    from rich.table import Table

    listed = list(rows)
    if not listed:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right" if isinstance(listed[0][column], int) else "left", overflow="fold")
    for row in listed:
        table.add_row(*[_shown(row[column]) for column in columns])
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def worst_exit(codes: Iterable[int]) -> int:
    """The exit code that stands for several: 1 before 2, before 3, before 0."""
    found = set(codes)
    return next(code for code in (Exit.FAILED, Exit.USAGE, Exit.BLOCKED, Exit.OK) if code in found)
