"""Text from outside (names, records, contracts, messages that quote them), written for a medium that takes some of it for code.

One function a medium: `line` and `message` for a terminal or a log, `page` for HTML, `markdown`, `code` and `block` for Markdown. None of them can be
forgotten for one kind of text: each takes whatever comes, and shows what the eye can't see.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from typing import Any, Final

from lakegate.errors import LakegateError

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Categories of characters that move the cursor, turn the direction of what follows, break a line, or show nothing."""
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show nothing."""
_SELECTORS: Final = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
"""Marks that choose between forms of the character before them, and show nothing."""
_INDENTS: Final = ("  -> ", "  | ")
"""What a line break of Lakegate's own is followed by; a break in delivered text is shown, so that it can't feign a line."""
_MARKED: Final = re.compile(r"([\\`*_{}\[\]()#+!|~<>&:.@-])")
_ENTITIES: Final = {"<": "&lt;", "&": "&amp;"}
_TICKS: Final = re.compile(r"`+")


def hidden(character: str) -> bool:
    """Whether a character other than the plain blank acts on the medium or shows nothing."""
    if character == " ":
        return False
    if character in _BLANK or any(first <= ord(character) <= last for first, last in _SELECTORS):
        return True
    return unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    number = ord(character)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    return short or (
        f"\\x{number:02x}"
        if number < 0x100  # noqa: PLR2004
        else f"\\u{number:04x}"
        if number < 0x10000  # noqa: PLR2004
        else f"\\U{number:08x}"
    )


def line(text: object) -> str:
    """One line of plain text: what is hidden is written out as Python would escape it, line breaks and tabs among it."""
    told = str(text)
    if told.isascii() and told.isprintable():
        return told
    return "".join(_escape(character) if hidden(character) else character for character in told)


def message(text: object) -> str:
    """Text of several lines: Lakegate's own line breaks stand, which indent what follows; all else as `line` writes it.

    Of an error each mistake that it tells of stands in a line of its own.
    """
    if isinstance(text, LakegateError):
        return "\n".join([_error(text), *map(message, text.others)])
    told = str(text)
    if "\n" not in told:
        return line(told)
    first, *rest = told.split("\n")
    return line(first) + "".join(("\n" if part.startswith(_INDENTS) else "\\n") + line(part) for part in rest)


def _error(error: LakegateError) -> str:
    head = f"{line(error.where)}: {message(error.what)}" if error.where else message(error.what)
    return f"{head}\n  -> {line(error.fix)}" if error.fix else head


def page(text: object) -> str:
    """Text within HTML, between tags or in a quoted attribute."""
    return html.escape(line(text), quote=True)


def markdown(text: object) -> str:
    """Text within Markdown, which it neither formats nor extends: no tag, picture, link or table of its own."""
    return _MARKED.sub(lambda found: _ENTITIES.get(found[1], f"\\{found[1]}"), line(text))


def code(text: object) -> str:
    """Text within Markdown as a span of code; a fence longer than any run of ticks in it."""
    told = line(text)
    fence = "`" * (_longest(told) + 1)
    space = " " if not told or told.strip("` ") != told else ""
    return f"{fence}{space}{told}{space}{fence}"


def block(text: str, language: str = "") -> str:
    """Lines within Markdown as a block of code."""
    told = "\n".join(line(part) for part in text.strip("\n").split("\n"))
    fence = "`" * max(3, _longest(told) + 1)
    return f"{fence}{language}\n{told}\n{fence}"


def _longest(text: str) -> int:
    return max((len(found) for found in _TICKS.findall(text)), default=0)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON that a terminal can show: what is hidden in its texts is written as JSON's own escapes, so it reads back the same."""
    told = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(
        json.dumps(character)[1:-1] if character != "\n" and hidden(character) else character
        for character in told
    )
