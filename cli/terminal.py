"""The one place that writes to the terminal: plain text, in which nothing from outside acts on it.

All other modules of `cli` print by `say`, `show_table` and `show_json`; a test enforces it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Literal, Self

import click

from lakegate.errors import LakegateError
from lakegate.media import as_json, line, message


@dataclass(frozen=True)
class Coloured:
    """Plain text in a colour."""

    text: str
    colour: str


def say(*parts: str | Coloured | LakegateError, err: bool = False) -> None:
    """Write plain text and end the line; hidden characters are written out."""
    plain = [
        click.style(line(part.text), fg=part.colour) if isinstance(part, Coloured) else message(part)
        for part in parts
    ]
    click.echo("".join(plain), err=err)


def complain(error: object, *, about: str = "") -> None:
    """Write an error to stderr."""
    click.echo(f"error: {f'{line(about)}: ' if about else ''}{message(error)}", err=True)


def show_usage(error: click.ClickException) -> None:
    """Write what is wrong with a call, in click's words, which quote the call."""
    words = StringIO()
    error.show(file=words)
    for part in words.getvalue().removesuffix("\n").split("\n"):
        click.echo(line(part), err=True)


def show_json(value: Any) -> None:
    """Write one JSON value to stdout."""
    click.echo(as_json(value, indent=2 if sys.stdout.isatty() else None))


def show_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = (), *, empty: str) -> None:
    """Write rows for a person, numbers with thousands separators.

    Args:
        rows: The values of each row, by column.
        columns: Those that are shown; all of the first row's where none is named.
        empty: Written where there are no rows.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    if not listed:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = columns or list(listed[0])
    for column in columns:
        justify: Literal["right", "left"] = "right" if isinstance(listed[0][column], int) else "left"
        table.add_column(Text(line(column.replace("_", " "))), justify=justify, overflow="fold")
    for row in listed:
        table.add_row(*[_cell(row[column]) for column in columns])
    width = None if sys.stdout.isatty() else 200
    Console(width=width, markup=False, highlight=False, emoji=False).print(table)


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
