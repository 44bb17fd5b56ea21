"""Delivered text (names, records, contracts, messages that quote them), escaped for its medium.

One function for each medium: `line` and `message` for a terminal or a log, `page` for HTML, `markdown`,
`code` and `block` for Markdown. Each takes any text, and makes invisible characters visible.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import Any, Final

from lakegate.errors import LakegateError

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Categories of characters that move the cursor, turn the text around, break a line, or are invisible."""
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are invisible."""
_SELECTORS: Final = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Invisible marks that choose between forms of the character before them."""
_INDENTS: Final = ("  -> ", "  | ")
"""What follows Lakegate's own line breaks; breaks in delivered text are escaped and can't fake a line."""
_MARKED: Final = re.compile(r"([\\`*_{}\[\]()#+!|~<>&:.@-])")
_ENTITIES: Final = {"<": "&lt;", "&": "&amp;"}
_TICKS: Final = re.compile(r"`+")


def hidden(character: str) -> bool:
    """Whether a character other than the plain blank acts on the medium or is invisible."""
    if character == " ":
        return False
    if character in _BLANK or any(first <= ord(character) <= last for first, last in _SELECTORS):
        return True
    return unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def line(text: object) -> str:
    """One line of plain text; hidden characters, line breaks and tabs too, are escaped as in Python."""
    plain = str(text)
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(_escape(character) if hidden(character) else character for character in plain)


def message(text: object) -> str:
    """Text of several lines: Lakegate's own line breaks, which indent what follows, stay; the rest as `line`.

    Each mistake of an error has a line of its own.
    """
    if isinstance(text, LakegateError):
        return "\n".join([_error(text), *map(message, text.others)])
    first, *rest = str(text).split("\n")
    return line(first) + "".join(("\n" if part.startswith(_INDENTS) else "\\n") + line(part) for part in rest)


def _error(error: LakegateError) -> str:
    head = f"{line(error.where)}: {message(error.what)}" if error.where else message(error.what)
    return f"{head}\n  -> {line(error.fix)}" if error.fix else head


def page(text: object) -> str:
    """Text within HTML, between tags or in a quoted attribute."""
    return html.escape(line(text), quote=True)


def markdown(text: object) -> str:
    """Text within Markdown that has no formatting, tag, picture, link or table of its own."""
    return _MARKED.sub(lambda found: _ENTITIES.get(found[1], f"\\{found[1]}"), line(text))


def code(text: object) -> str:
    """Text within Markdown as a span of code, with a fence longer than any run of ticks in it."""
    plain = line(text)
    fence = "`" * (_longest(plain) + 1)
    space = " " if not plain or plain.strip("` ") != plain else ""
    return f"{fence}{space}{plain}{space}{fence}"


def block(text: str, language: str = "") -> str:
    """Lines within Markdown as a block of code."""
    plain = "\n".join(line(part) for part in text.strip("\n").split("\n"))
    fence = "`" * max(3, _longest(plain) + 1)
    return f"{fence}{language}\n{plain}\n{fence}"


def _longest(text: str) -> int:
    return max((len(found) for found in _TICKS.findall(text)), default=0)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON for a terminal, with hidden characters as JSON's escapes: it reads back the same."""

    def escape(character: str) -> str:
        return json.dumps(character)[1:-1] if character != "\n" and hidden(character) else character

    return "".join(map(escape, json.dumps(value, ensure_ascii=False, indent=indent)))
