"""The one place that writes to the terminal: plain text, in which nothing that came from outside acts on it.

Everything else in this package says what it has to say with `say`, `show_table` and `show_json`; a test holds it to that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Self

import click

from lakegate.errors import LakegateError
from lakegate.media import as_json, line, message


@dataclass(frozen=True)
class Coloured:
    """Plain text in a colour."""

    text: str
    colour: str


def say(*parts: str | Coloured | LakegateError, err: bool = False) -> None:
    """Write plain text and end the line; what is hidden in it is shown."""
    told = [
        click.style(line(part.text), fg=part.colour) if isinstance(part, Coloured) else message(part)
        for part in parts
    ]
    click.echo("".join(told), err=err)


def complain(error: object, *, about: str = "") -> None:
    """Write an error to stderr."""
    click.echo(f"error: {f'{line(about)}: ' if about else ''}{message(error)}", err=True)


def show_usage(error: click.ClickException) -> None:
    """Write what is wrong with a call, as click words it, whose words quote the call."""
    told = StringIO()
    error.show(file=told)
    for part in told.getvalue().removesuffix("\n").split("\n"):
        click.echo(line(part), err=True)


def show_json(value: Any) -> None:
    """Write one JSON value to stdout."""
    click.echo(as_json(value, indent=2 if sys.stdout.isatty() else None))


def show_table(rows: Iterable[dict[str, Any]], columns: Sequence[str], *, empty: str) -> None:
    """Write rows for a person, numbers with thousands separators; `empty` where there are none."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    if not listed:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = isinstance(listed[0][column], int)
        table.add_column(
            Text(line(column.replace("_", " "))), justify="right" if right else "left", overflow="fold"
        )
    for row in listed:
        table.add_row(*[_cell(row[column]) for column in columns])
    Console(width=None if sys.stdout.isatty() else 200, markup=False, highlight=False, emoji=False).print(
        table
    )


def _cell(value: Any) -> Any:
    from rich.text import Text

    if isinstance(value, Coloured):
        return Text(line(value.text), style=value.colour)
    return Text(message(_shown(value)))


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


class StatusLine:
    """The step under way at the bottom of stderr, where that is a terminal; nothing elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._status: Any = None
        if sys.stderr.isatty() and not quiet:
            from rich.console import Console

            self._status = Console(stderr=True, markup=False, emoji=False).status("")

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def update(self, text: str) -> None:
        """Show another text."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(line(text)))
